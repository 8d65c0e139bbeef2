"""A service's routes as a table: what is routed is what has a row.

Owns the row, how it gets into aiohttp's router, and finding it again for a request.
Never says what a service asks of a request: each extends the row by that, and its middleware judges.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """One row: `handler` answers requests of `method` for `path` (aiohttp's form, `/sessions/{id}`)."""

    method: str
    path: str
    handler: Handler

    @property
    def answers_head(self) -> bool:
        """Whether HEAD is answered as well, by the head of what GET answers (RFC 9110, section 9.3.2)."""
        return self.method == hdrs.METH_GET


R = TypeVar("R", bound=Route)


class RouteTable(Generic[R]):
    """The rows of one application, by the route objects of its router.

    So no spelling of a path gets around a row, and a route that was added otherwise has none.
    """

    def __init__(self) -> None:
        self._rows: dict[web.AbstractRoute, R] = {}

    def __iter__(self) -> Iterator[tuple[web.AbstractRoute, R]]:
        return iter(self._rows.items())

    def add(self, app: web.Application, rows: Iterable[R]) -> None:
        """Add rows to the application's router, in this order."""
        for row in rows:
            methods = (hdrs.METH_HEAD, row.method) if row.answers_head else (row.method,)
            resource = app.router.add_resource(row.path)
            for method in methods:
                self.add_route(resource.add_route(method, row.handler), row)

    def add_route(self, route: web.AbstractRoute, row: R) -> None:
        """Take a row for a route of a resource that knows its paths by itself."""
        self._rows[route] = row

    def row_of(self, request: web.Request) -> R | None:
        """Return the row of the request's route; None where there is no such route, or one without a row."""
        return self.row_at(request.match_info.route)

    def row_at(self, route: web.AbstractRoute) -> R | None:
        """Return the row of a route of the router; None where it has none."""
        return self._rows.get(route)
