"""Where what is done comes from: the address, the device and the reference of the request under way.

Owns that everything below a request can ask for it, tasks that it begins included.
Never decides anything by it: an address and a browser's name of itself are labels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from gateway.edge.client_address import UNKNOWN, ClientAddress, ClientAddresses
from gateway.edge.devices import device_name
from servicekit.callers import NETWORK
from servicekit.reference import reference_of

_LONGEST_USER_AGENT: Final = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from; all empty or `unknown` outside of one."""

    address: ClientAddress = field(default_factory=lambda: ClientAddress(UNKNOWN, UNKNOWN))
    user_agent: str = ""
    reference: str = ""

    @property
    def device(self) -> str:
        """The device's name, such as `Firefox on Windows`; nothing where it is not known."""
        return device_name(self.user_agent)


_NOWHERE: Final = Origin()
_current: ContextVar[Origin] = ContextVar("origin", default=_NOWHERE)


def current_origin() -> Origin:
    """Return where the work under way comes from."""
    return _current.get()


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
        user_agent = request.headers.get(hdrs.USER_AGENT, "")[:_LONGEST_USER_AGENT]
        address = addresses.of(request)
        request[NETWORK] = address.network
        with coming_from(Origin(address, user_agent, reference_of(request))):
            return await handler(request)

    return middleware
