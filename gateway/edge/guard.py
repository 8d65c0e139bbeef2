"""What a browser may do: who may send a request.

Owns the kinds of request, the origin checks, and which records of a session a route names.
Never loads a session: a forged request is refused before anything is read, and never trusts a path's spelling: the
kind belongs to the route object, and a route without one is closed.

Origin checks: RFC 10017 (a static custom header forces a preflight), W3C Fetch Metadata, with `Origin` as the fallback
for browsers without it. A program that is no browser sends neither, and carries nobody's cookies by accident.
"""

import enum
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import hdrs, web
from multidict import istr

from gateway.edge.admission import Lane
from gateway.edge.handshakes import is_handshake
from gateway.edge.hosts import Likeness, compare_hosts
from gateway.edge.limit_rules import Limit
from gateway.edge.navigations import is_page_wanted
from gateway.edge.origins import OurOrigins
from gateway.errors import CrossOriginRefused, MisdirectedRequest
from servicekit.http import routes
from servicekit.operations import Operation


class RequestKind(enum.Enum):
    """What kind of request a route is for, and so who may send it."""

    JSON = "json"
    """Our own pages, and programs; `X-CSRF: 1` always."""
    EVENTS = "events"
    """The same for a stream that changes nothing, which a page opens by `EventSource`: that can send no header."""
    NAVIGATION = "navigation"
    """A person who navigates from our pages, or typed the address."""
    CALLBACK = "callback"
    """The authority, through the person's browser."""
    FRAMED = "framed"
    """The authority's sign-out page, in a frame, without cookies."""
    BACKCHANNEL = "backchannel"
    """The authority itself, server to server: no browser, no cookie, perhaps by an inner name of this service; a
    signed token is the proof, and the handler asks for it."""
    PUBLIC = "public"
    """Anyone; there is nothing personal."""


_LANES: Final = {
    RequestKind.JSON: Lane.WORK,
    RequestKind.EVENTS: Lane.WORK,
    RequestKind.NAVIGATION: Lane.WORK,
    RequestKind.CALLBACK: Lane.RETURN,
    RequestKind.FRAMED: Lane.SIGN_OUT,
    RequestKind.BACKCHANNEL: Lane.SIGN_OUT,
    RequestKind.PUBLIC: Lane.PAGES,
}


Judge = Callable[[web.Request], None]
"""What raises for a request that is not allowed."""

Records = Callable[[web.Request], Sequence[str]]
"""What returns the names of the session's records that a request needs."""

Ahead = Callable[[web.Request, str, str], None]
"""What begins to ask for something of a person (tenant, object id), whose session the request had a moment ago."""

_SAME: Final = Likeness.SAME
_OF_ANY_HOST: Final = frozenset({RequestKind.FRAMED, RequestKind.BACKCHANNEL})
_KNOWN_HOSTS: Final = 256
_OWN_HEADER: Final = istr("X-CSRF")
_SITE: Final = istr("Sec-Fetch-Site")


def no_records(_request: web.Request) -> Sequence[str]:
    """Say that a route needs nothing of a session but its person."""
    return ()


# A HEAD of a navigation would begin a flow that nobody goes on; a stream without a body is none.
_WITHOUT_HEAD: Final = frozenset({RequestKind.NAVIGATION, RequestKind.EVENTS})


@dataclass(frozen=True, slots=True)
class Route(routes.Route):
    """One row of the gateway's routes.

    `operation` is what the API's description says of it, if it is part of the API. `records` names what it needs of the
    session, which is read in the step that opens the cookie. `lane` is which places it needs, where that does not
    follow from its kind. `limit` is by what it is counted, `limit_of_strangers` by what where nobody is signed in.
    `may_upgrade` says that a handshake may open a WebSocket by it, with which a page can send no header of its own;
    `binds_session`, that its answers set or take back the session's cookie.
    `ahead` begins to ask for what the handler will need, beside the question whether the session still lives; before
    that is answered nothing of it may be told.
    """

    kind: RequestKind
    operation: Operation | None = None
    records: Records = no_records
    lane: Lane | None = None
    limit: Limit | None = None
    may_upgrade: bool = False
    limit_of_strangers: Limit | None = None
    binds_session: bool = False
    ahead: Ahead | None = None

    @property
    def answers_head(self) -> bool:
        """Whether HEAD is answered as well."""
        return self.method == hdrs.METH_GET and self.kind not in _WITHOUT_HEAD


ROUTE_TABLE: Final[web.AppKey[routes.RouteTable[Route]]] = web.AppKey("route_table")


def kind_of(request: web.Request) -> RequestKind | None:
    """Return what kind of request the route is for; None where there is no such route."""
    row = request.app[ROUTE_TABLE].row_of(request)
    return row.kind if row else None


def lane_of_row(row: Route | None) -> Lane:
    """Return which places a request of the row needs; where there is no such route, it is answered from memory."""
    return (row.lane or _LANES[row.kind]) if row else Lane.PAGES


def opens_websocket(request: web.Request) -> bool:
    """Tell whether the request is a handshake that its route takes."""
    row = request.app[ROUTE_TABLE].row_of(request)
    return row is not None and row.may_upgrade and is_handshake(request)


class Guard:
    """Refuses what a route's kind of request does not allow.

    `others` are the origins beside the gateway's own whose pages may do what ours may.
    """

    def __init__(self, public_url: str, others: Iterable[str] = ()) -> None:
        self._public_url = public_url
        self._origins = OurOrigins(public_url, others)
        # Pure in its text, which a stranger chooses: so many at most.
        self._likeness = functools.lru_cache(maxsize=_KNOWN_HOSTS)(
            lambda host: compare_hosts(f"//{host}", public_url)
        )

    def judge_of(self, row: Route | None) -> Judge:
        """Return what raises for a request of this row that is not allowed; all are refused where there is none."""
        if row is None:
            return _refuse_without_a_row
        kind, judge, may_upgrade = row.kind, _JUDGES.get(row.kind), row.may_upgrade
        has_any_host = kind in _OF_ANY_HOST

        def judge_request(request: web.Request) -> None:
            if not has_any_host and self._likeness(request.host) is not _SAME:
                self._judge_host(request, kind)
            if may_upgrade and is_handshake(request):
                _judge_handshake(request, self._origins)
            elif judge:
                judge(request, self._origins)

        return judge_request

    def _judge_host(self, request: web.Request, kind: RequestKind) -> None:
        """Refuse what was sent to another host, and bring a person who navigates to the public spelling of ours.

        Cookies belong to one spelling: what is begun as 127.0.0.1 and ends as localhost ends in another browser, as it
        were. Ports are not compared, as cookies know none (RFC 6265, section 8.5).
        """
        likeness = self._likeness(request.host)
        if likeness is Likeness.ANOTHER:
            if kind is not RequestKind.PUBLIC:
                raise MisdirectedRequest
        elif is_page_wanted(request, default=kind is RequestKind.NAVIGATION):
            raise web.HTTPTemporaryRedirect(self._public_url + request.rel_url.raw_path_qs)
        elif kind is not RequestKind.PUBLIC and "Sec-Fetch-Site" in request.headers:
            # A program has its cookies from wherever it asked before, and one name is as good as another.
            raise MisdirectedRequest(
                f"Open {self._public_url} instead: a browser sends the cookies of one name only."
            )


def _judge_json(request: web.Request, origins: OurOrigins) -> None:
    headers = request.headers
    if headers.get(_OWN_HEADER) != "1":
        raise CrossOriginRefused("Send the header X-CSRF: 1.")
    site, origin = headers.get(_SITE), headers.get(hdrs.ORIGIN)
    if origin is not None and site in {None, "same-site"} and origins.other_of(request):
        return
    if site not in {None, "same-origin"} or (site is None and origin not in {None, origins.own}):
        raise CrossOriginRefused(f"Only pages of {_named(origins)} may call this.")


def _judge_events(request: web.Request, origins: OurOrigins) -> None:
    """Believe a browser that says the request comes from a page of ours; ask everybody else for the header.

    Scripts cannot forge `Sec-Fetch-Site`, and the answer is of no use to whoever cannot read it.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site == "same-origin" or (site == "same-site" and origins.other_of(request)):
        return
    _judge_json(request, origins)


def _judge_handshake(request: web.Request, origins: OurOrigins) -> None:
    """Ask for an `Origin` that is ours, of programs too (RFC 6455, section 10.2).

    No policy of ours on cross-origin requests holds for WebSockets: a browser opens them for any page, with the cookies
    that go to this host, and lets the page read what comes.
    """
    site, named = request.headers.get("Sec-Fetch-Site"), request.headers.getall(hdrs.ORIGIN, [])
    is_own = named == [origins.own] and site in {None, "same-origin"}
    if not is_own and not (origins.other_of(request) and site in {None, "same-site"}):
        raise CrossOriginRefused(f"Only pages of {_named(origins)} may open this, and say so by Origin.")


def _named(origins: OurOrigins) -> str:
    return " and ".join((origins.own, *sorted(origins.others)))


def _judge_navigation(request: web.Request, origins: OurOrigins) -> None:
    """Refuse frames, images and prefetches; bring a person who followed a foreign link to our first page.

    Nothing is begun for either: otherwise any page could start flows in somebody's name.
    """
    destination = request.headers.get("Sec-Fetch-Dest", "document")
    if destination != "document" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        raise CrossOriginRefused("This address is for navigation.")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if site not in {"none", "same-origin"} and not (site == "same-site" and origins.leads_here(request)):
        raise web.HTTPSeeOther("/")


def _refuse_without_a_row(_request: web.Request) -> None:
    raise CrossOriginRefused(log_detail="the route has no row")


_JUDGES: Final[dict[RequestKind, Callable[[web.Request, OurOrigins], None]]] = {
    RequestKind.JSON: _judge_json,
    RequestKind.EVENTS: _judge_events,
    RequestKind.NAVIGATION: _judge_navigation,
}
