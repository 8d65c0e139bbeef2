"""Where what is done comes from: address, device, route and, once it is known, the person of the request under way.

Owns that everything below a request can ask for it, tasks that it begins included.
Never decides anything by it: an address and a browser's name of itself are labels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from gateway.audit.subject import Subject
from gateway.edge.client_address import ClientAddresses
from gateway.edge.devices import device_name
from gateway.store.names import SessionRef
from servicekit.callers import NETWORK
from servicekit.networks import UNKNOWN
from servicekit.reference import reference_of

_LONGEST_USER_AGENT: Final = 200


@dataclass(slots=True)
class Origin:
    """Where a request comes from; what is not known is empty."""

    address: str = ""
    network: str = ""
    user_agent: str = ""
    route: str = ""
    reference: str = ""
    subject: Subject | None = None
    session: SessionRef | None = None
    """What the cookie names, also where that is no session any more."""
    has_failed: bool = False
    """Whether it was recorded already that the request did not succeed: one fact, wherever it is noticed."""

    @property
    def device(self) -> str:
        """The device's name, such as `Firefox on Windows`; nothing where it is not known."""
        return device_name(self.user_agent)


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current_origin() -> Origin:
    """Return where the work under way comes from; outside of a request, from nowhere."""
    return _current.get() or Origin()


def about(subject: Subject) -> None:
    """Say whose request this is, as soon as that is known."""
    if origin := _current.get():
        origin.subject = subject


def about_session(ref: SessionRef) -> None:
    """Say which session the request names, where it is nobody's any more."""
    if origin := _current.get():
        origin.session = ref


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Let whatever is done in the block come from `origin`."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def origin_middleware(addresses: ClientAddresses) -> Middleware:
    """Return the middleware that says where a request comes from."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        client = addresses.of(request)
        request[NETWORK] = client.network
        resource = request.match_info.route.resource
        origin = Origin(
            address="" if client.text == UNKNOWN else client.text,
            network="" if client.network == UNKNOWN else client.network,
            user_agent=request.headers.get(hdrs.USER_AGENT, "")[:_LONGEST_USER_AGENT],
            route=f"{request.method} {resource.canonical}" if resource else "",
            reference=reference_of(request),
        )
        with coming_from(origin):
            return await handler(request)

    return middleware
