"""The single-page client's files, served as they lie.

Owns which addresses are pages, which are files, and the page that an unknown address gets.
Never serves a path that was not there at start: there is no path to traverse.
"""

from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from gateway.guard import Policy, Route

PAGES: Final = ("/", "/edit", "/confirm", "/check", "/sign-in-details", "/sessions", "/problem")
_TYPES: Final = frozenset({".js", ".css", ".svg", ".html", ".json", ".webmanifest", ".txt"})


class SpaFiles:
    """The files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._index = root / "index.html"

    def routes(self) -> list[Route]:
        """Return a row for every page and file."""
        files = (path for path in sorted(self._root.rglob("*")) if path.is_file() and path.suffix in _TYPES)
        rows = [
            Route(hdrs.METH_GET, f"/{path.relative_to(self._root).as_posix()}", _sender(path), Policy.PUBLIC)
            for path in files
        ]
        return [*rows, *(Route(hdrs.METH_GET, page, _sender(self._index), Policy.PUBLIC) for page in PAGES)]

    def not_found(self) -> web.Response:
        """Return the client's page with status 404; the client says that there is no such page."""
        return web.Response(
            body=self._index.read_bytes(), status=404, content_type="text/html", charset="utf-8"
        )


def _sender(path: Path) -> Handler:
    async def send(_request: web.Request) -> web.StreamResponse:
        # Asked again every time, answered 304 while nothing changed: a deployment never leaves an old client behind.
        return web.FileResponse(path, headers={hdrs.CACHE_CONTROL: "no-cache"})

    return send
