"""Where what is done comes from: address, device, route and, once it is known, the person of the request under way.

Owns that everything below a request can ask for it, tasks that it begins included.
Never decides anything by it: an address and a browser's name of itself are labels.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from aiohttp import hdrs, web

from gateway.audit.subject import Subject
from gateway.edge.client_address import ClientAddress
from gateway.edge.devices import device_name
from gateway.store.names import SessionRef
from servicekit.callers import NETWORK
from servicekit.networks import UNKNOWN
from servicekit.reference import reference_of

_LONGEST_USER_AGENT: Final = 200
_NOWHERE: Final = ClientAddress(UNKNOWN, UNKNOWN)


class Origin:
    """Where a request comes from; what is not known is empty.

    Most requests are no fact for anybody: what one says of itself is read when somebody asks.
    """

    __slots__ = ("_client", "_request", "_route", "has_failed", "session", "subject")

    def __init__(
        self,
        request: web.Request | None = None,
        client: ClientAddress = _NOWHERE,
        *,
        route: str = "",
        subject: Subject | None = None,
    ) -> None:
        self._request = request
        self._client = client
        self._route = route
        self.subject = subject
        self.session: SessionRef | None = None
        """What the cookie names, also where that is no session any more."""
        self.has_failed = False
        """Whether it was recorded already that the request did not succeed: one fact, wherever it is noticed."""

    @property
    def address(self) -> str:
        """The client's address."""
        return "" if self._client.text == UNKNOWN else self._client.text

    @property
    def network(self) -> str:
        """The network that it is counted by."""
        return "" if self._client.network == UNKNOWN else self._client.network

    @property
    def user_agent(self) -> str:
        """The beginning of what the browser says of itself."""
        said = self._request.headers.get(hdrs.USER_AGENT, "") if self._request else ""
        return said[:_LONGEST_USER_AGENT]

    @property
    def device(self) -> str:
        """The device's name, such as `Firefox on Windows`; nothing where it is not known."""
        return device_name(self.user_agent)

    @property
    def route(self) -> str:
        """The method and the route's template, or what else it is that somebody does."""
        resource = self._request.match_info.route.resource if self._request else None
        return f"{self._request.method} {resource.canonical}" if self._request and resource else self._route

    @property
    def reference(self) -> str:
        """What the person can quote."""
        return reference_of(self._request) if self._request else ""


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


def note_origin(request: web.Request, client: ClientAddress) -> None:
    """Let whatever is done from here on, in this task and in those that it begins, come from this request."""
    request[NETWORK] = client.network
    # Never reset: each request has a task of its own.
    _current.set(Origin(request, client))
