"""The doctor's look at the upstreams: whether each is there, asks for a token, and has a scope that is known.

Owns the requests without a token, and what their answers mean for a row.
Never holds a token, and asks by GET alone, whatever the methods of a row are: nothing is changed.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from aiohttp import hdrs

from gateway.doctor.wording import for_upstream
from gateway.settings import Settings
from gateway.upstream_rows import UpstreamRow
from servicekit.challenges import parse_bearer_challenges
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.authorization import ask_to_authorize, scope_finding
from servicekit.doctor.findings import (
    Finding,
    Status,
    fault,
    not_looked_at,
    ok,
    plain_reason,
    warning,
    within_time,
)
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply
from servicekit.web_address import read_web_address

_SECONDS: Final = 6
_AT_ONCE: Final = 8
_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = range(300, 400)
_ANSWERS: Final = range(200, 300)
_FAILURES: Final = range(500, 600)


def check_of(row: UpstreamRow) -> str:
    """Return how the look at a row is called."""
    return f"upstream {row.name}"


def protection_of(row: UpstreamRow) -> str:
    """Return how the look at its protection is called."""
    return f"{check_of(row)} protects"


def scope_of(row: UpstreamRow) -> str:
    """Return how the look at its scope is called."""
    return f"{check_of(row)} scope"


async def look_at_upstreams(http: Outbound, rows: Iterable[UpstreamRow]) -> list[Finding]:
    """Ask each upstream for its target without a token."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def look(row: UpstreamRow) -> list[Finding]:
        async with places:
            return await _look_at(http, row)

    return [finding for found in await asyncio.gather(*map(look, rows)) for finding in found]


def scope_checks(settings: Settings) -> list[str]:
    """Return what `look_at_scopes` looks at, in its order."""
    return [scope_of(row) for row in settings.upstreams if row.scope]


async def look_at_scopes(
    http: Outbound, settings: Settings, metadata: AuthorityMetadata | None, *, failed: str, registered: str
) -> list[Finding]:
    """Ask the authority for the scope of each row, and for one that several have only once.

    `failed` names the check without which there is no metadata, `registered` the one about the redirect URI, without
    which the authority says nothing of a scope.
    """
    if metadata is None:
        return [not_looked_at(check, failed) for check in scope_checks(settings)]
    places = asyncio.Semaphore(_AT_ONCE)

    async def look(row: UpstreamRow, scope: str) -> Finding:
        check = scope_of(row)
        try:
            async with places:
                answer = await ask_to_authorize(
                    http,
                    metadata.authorization_endpoint,
                    client_id=settings.client_id,
                    redirect_uri=settings.redirect_uri,
                    scope=scope,
                )
        except OutboundError:
            return not_looked_at(check, registered)
        if not answer.came_back:
            return not_looked_at(check, registered)
        return scope_finding(check, scope, for_upstream(row.name), answer)

    shared = {row.name: whose for row, whose in _shared(settings)}
    asked = [row for row in settings.upstreams if row.scope and row.name not in shared]
    found = await asyncio.gather(*(look(row, row.scope or "") for row in asked))
    by_name = {row.name: finding for row, finding in zip(asked, found, strict=True)}
    return [
        by_name.get(row.name)
        or ok(scope_of(row), f"{row.scope} is {shared[row.name]}, whose token it shares")
        for row in settings.upstreams
        if row.scope
    ]


def _shared(settings: Settings) -> Iterator[tuple[UpstreamRow, str]]:
    """Yield each row whose scope somebody before it has, with who that is."""
    seen = {
        settings.edit_profile_scope: "GATEWAY_EDIT_PROFILE_SCOPE",
        settings.graph_scope: "GATEWAY_GRAPH_SCOPE",
    }
    for row in settings.upstreams:
        if row.scope in seen:
            yield row, seen[row.scope]
        elif row.scope:
            seen[row.scope] = f"that of {row.name}"


async def _look_at(http: Outbound, row: UpstreamRow) -> list[Finding]:
    replies: list[Reply] = []

    async def reach() -> Finding:
        try:
            replies.append(
                await http.send(
                    hdrs.METH_GET,
                    row.target,
                    headers={hdrs.ACCEPT: "application/json"},
                    timeout_seconds=_SECONDS,
                )
            )
        except OutboundError as error:
            return fault(
                check_of(row),
                f"{row.target} cannot be reached: {plain_reason(error, error.reason)}",
                f"Start it, and let the target of {row.name} be its address as seen from here; where its certificate "
                "is a private authority's, name that in GATEWAY_CA_BUNDLE.",
            )
        return _reached(row, replies[0].status)

    found = await within_time(check_of(row), reach())
    if row.scope is None:
        return [_without_a_scope(row, found, replies)]
    if not replies:
        return [found, not_looked_at(protection_of(row), check_of(row))]
    return [found, _protects(row, replies[0])]


def _reached(row: UpstreamRow, status: int) -> Finding:
    asked = f"GET {row.target} without a token answered {status}"
    if status in _FAILURES:
        return warning(check_of(row), f"{asked}, which is a failure of its own", "Look at its log.")
    target = read_web_address(row.target)
    if target.scheme == "http" and not target.is_on_loopback:
        return warning(
            check_of(row),
            f"{asked}, by plain http: whoever listens on the way reads tokens",
            "Let the upstream speak https, and remove allow_http.",
        )
    return ok(check_of(row), asked)


def _without_a_scope(row: UpstreamRow, found: Finding, replies: list[Reply]) -> Finding:
    """Return what is to be said of a row whose requests carry no token."""
    if not replies or found.status is not Status.OK:
        return found
    if replies[0].status == _UNAUTHORIZED:
        return warning(
            found.check,
            f"{found.detail}: it asks for a token, and the row has no scope, so none is attached",
            f"Set scope in the row {row.name}, unless only some of its paths need a token.",
        )
    who = "everybody, with a session or without" if row.anonymous else "everybody with a session"
    return ok(found.check, f"{found.detail}; no token is attached, and it answers {who}")


def _protects(row: UpstreamRow, reply: Reply) -> Finding:
    check, asked = protection_of(row), f"GET {row.target} without a token"
    if reply.status == _UNAUTHORIZED:
        if parse_bearer_challenges(reply.headers.getall(hdrs.WWW_AUTHENTICATE, [])):
            return ok(check, f"{asked} is refused with a challenge")
        return warning(
            check,
            f"{asked} answered 401 without a Bearer challenge in WWW-Authenticate, so it can demand no step-up",
            "Let it say what it asks for, and let whatever stands before it pass its WWW-Authenticate header on.",
        )
    if reply.status in _ANSWERS:
        return fault(
            check,
            f"{asked} answered {reply.status}, and not 401: whoever reaches it may not need one",
            f"Let the API ask for a token of {row.scope}, and keep it away from people until it does; a row for what "
            "needs no token has no scope.",
        )
    if reply.status in _REDIRECTS:
        return warning(
            check,
            f"{asked} answered {reply.status}, which leads elsewhere: a page to sign in at, perhaps",
            f"Let the target of {row.name} lead to the API itself, which answers 401.",
        )
    return warning(
        check,
        f"{asked} answered {reply.status}, which does not say whether it needs one",
        "Ask for one of its paths without a token: 401 with WWW-Authenticate is right.",
    )
