"""Authorization code flows: to the authority and back.

Owns the record of one flow, the cookie that ties it to the browser which began it, and where the flow may
return to.
Never reads what the authority answers.

The record's key is the hash of `state` together with the flow cookie: whoever holds only one of them cannot find,
spend or open the flow (RFC 9700, section 4.7). One cookie per flow, so that two tabs never disturb each
other.
"""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from gateway.edge.cookies import cookie_values, cookies
from gateway.edge.limits import CLAIM, Claim
from gateway.edge.problem_pages import FLOW_STATE, RETURN_TO
from gateway.errors import CookieNotKept, DuplicateCookie, SessionStoreUnavailable, SignInExpired
from gateway.store.names import digest_of
from gateway.store.single_records import SingleRecords
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault
from servicekit.callers import KNOWN
from servicekit.errors import TooManyRequests

R = TypeVar("R", bound=web.StreamResponse)

FLOW_SECONDS: Final = 600
MOST_FLOWS: Final = 5
# Of one answer: proxies take 4 KiB of head, and what we did not set ourselves may be there in hundreds.
_MOST_DROPPED: Final = 5
_PREFIX: Final = "__Host-Http-flow-"
_NAME_FORM: Final = re.compile(_PREFIX + r"[A-Za-z0-9_-]{16}")
# Of its kind alone: the others call themselves Chrome or Chromium besides, and keep secure cookies on localhost.
_KEEPS_NONE: Final = re.compile(r"AppleWebKit/(?!.*\b(?:Chrome|Chromium|CriOS|HeadlessChrome)/).*\bSafari/")
_COOKIE_FORM: Final = re.compile(r"([0-9]{10})\.([A-Za-z0-9_-]{43})")
_PATH_FORM: Final = re.compile(r"(?P<path>/(?!/)[^?#]*)(?P<rest>.*)")
# Whatever is no printable ASCII, and a percent sign that encodes nothing.
_TO_ENCODE: Final = re.compile(r"[^!-~]|%(?![0-9A-Fa-f]{2})")
_ENCODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
# Browsers take the first for a slash, and people any of them.
_ODD_SLASHES: Final = "\\\u2044\u2215\u2216\u29f5\u29f8\u29f9\ufe68\uff0f\uff3c"
LONGEST_PATH: Final = 512
_NOT_PAGES: Final = ("/auth/", "/api/", "/health/", "/metrics", "/problem")


@dataclass(frozen=True, slots=True)
class AuthCodeFlow:
    """One flow: MSAL's own record, why it was begun, and for whom.

    `session` is the text of the cookie of the session that it belongs to, if any; at step-up its person must
    come back. `resource` is the key of what the token is for that a step-up brings (empty: for editing); that of an
    upstream is in `upstream`, and `resource` is None: the release before, which would take any other name for that of
    editing, then refuses the flow. `fresh_since` is when the flow began (seconds since 1970), if an earlier
    confirmation does not count. `begun_by` is the reference of the request that began it.
    """

    msal: dict[str, Any]
    purpose: str
    return_to: str
    nonce: str
    session: str = ""
    resource: str | None = ""
    fresh_since: int | None = None
    begun_by: str = ""
    upstream: str = ""


def local_path(text: str | None) -> str:
    r"""Return `text` when it is a path of our own pages, spelled as it can travel in a header; else `/`.

    Written as a form, not with a URL parser: parsers mend what browsers read otherwise (`/\host`, control characters,
    tabs). The first character is a slash, the second neither slash nor backslash. What is encoded already stays as it
    is, and blanks and letters of any script are encoded, so that what comes out is printable ASCII. Nothing may be read
    out of it that leads elsewhere, to an endpoint of ours included, by whoever decodes it once or twice.
    """
    path = written_path(text or "")
    return "/" if path is None or _is_not_ours(path) else path


def written_path(text: str) -> str | None:
    """Return a path as people write it, of whatever origin, in the spelling of `local_path`; None where it is none."""
    match = _PATH_FORM.fullmatch(text)
    if not match or not _is_written(match[0]):
        return None
    path = _encoded(match["path"])
    try:
        read = unquote(path, errors="strict")
    except UnicodeDecodeError:
        return None
    hides = read.count("/") != path.count("/") or not _is_written(read) or _ENCODED.search(read)
    whole = path + _encoded(match["rest"])
    return None if hides or not _is_page(read) or len(whole) > LONGEST_PATH else whole


def _is_written(text: str) -> bool:
    """Tell whether people write such text: nothing invisible, no blank but the common one, no slash of another kind."""
    return not any(
        sign in _ODD_SLASHES or (sign != " " and unicodedata.category(sign)[0] in "CZ") for sign in text
    )


def _encoded(text: str) -> str:
    return _TO_ENCODE.sub(lambda sign: quote(sign[0]), text)


def _is_page(path: str) -> bool:
    *folders, name = path[1:].split("/")
    hidden = any(part.startswith(".") for part in (*folders, name))
    return not hidden and all(part.strip() for part in folders)


def _is_not_ours(written: str) -> bool:
    """Tell whether a path of ours leads to no page."""
    return f"{unquote(re.split('[?#]', written)[0])}/".startswith(_NOT_PAGES)


def _cookie_name(state: str) -> str:
    return _PREFIX + digest_of("flow cookie", state)[:16]


class FlowStore:
    """Keeps flows for ten minutes; each is taken once."""

    def __init__(self, vault: Vault, *, plain_http: bool = False) -> None:
        """Take where flows are kept; `plain_http` says that browsers see an address without TLS."""
        self._records = SingleRecords(vault)
        self._memory = vault.memory_watch
        self._plain_http = plain_http

    async def put(
        self, request: web.Request, response: web.StreamResponse, flow: AuthCodeFlow, *, now: float
    ) -> None:
        """Keep the flow and give the browser its cookie; the browser's oldest beyond five are dropped.

        Raises SessionStoreUnavailable, for strangers also where Redis has little memory left.
        """
        if not flow.session:
            self._memory.check()
        state = flow.msal["state"]
        secret = secrets.token_urlsafe(32)
        value = write_record(flow)
        await self._write(request.get(CLAIM), digest_of(state, secret), value, secret.encode())
        begun = sorted(
            (match[1], name)
            for name, text in cookies(request).items()
            if _NAME_FORM.fullmatch(name) and (match := _COOKIE_FORM.fullmatch(text))
        )
        for _, name in begun[: min(_MOST_DROPPED, max(0, len(begun) - MOST_FLOWS + 1))]:
            _drop(response, name)
        # The authority answers with a cross-site POST, which carries only cookies with SameSite=None.
        response.set_cookie(
            _cookie_name(state),
            f"{int(now)}.{secret}",
            max_age=FLOW_SECONDS,
            path="/",
            secure=True,
            httponly=True,
            samesite="None",
        )

    async def _write(self, claim: Claim | None, owner: str, value: bytes, secret: bytes) -> None:
        if claim is None:
            await self._records.put("flow", owner, value, ttl=FLOW_SECONDS, secret=secret)
            return
        try:
            counted = await self._records.put_and_count(
                "flow", owner, value, ttl=FLOW_SECONDS, secret=secret, count=claim.call
            )
        except SessionStoreUnavailable:
            claim.settle(None)  # who asks again and again is told so, and need not wait for Redis each time
            raise
        try:
            claim.settle(counted)
        except TooManyRequests:
            await self._records.take("flow", owner, secret=secret)
            raise

    async def take(self, request: web.Request, state: str) -> AuthCodeFlow:
        """Return the flow that `state` and this browser's cookie name together, once.

        Raises SignInExpired, DuplicateCookie where the cookie came twice (the flow is not spent), or CookieNotKept of a
        browser that never brings the cookie here.

        From here it is over, whatever comes, and a problem's page is told where it leads back to; not while Redis is
        away: then it can be taken later.
        """
        if len(cookie_values(request, _cookie_name(state))) > 1:
            raise DuplicateCookie
        flow = read_record(AuthCodeFlow, await self._taken(request, state))
        request[FLOW_STATE] = state
        if flow is None:
            if self._plain_http and _KEEPS_NONE.search(request.headers.get(hdrs.USER_AGENT, "")):
                raise CookieNotKept
            raise SignInExpired
        request[RETURN_TO] = flow.return_to
        request[KNOWN] = True
        return flow

    @staticmethod
    def name_of_answer(request: web.Request, answer: Mapping[str, str]) -> str | None:
        """Return what the same answer of the same browser is called; None without the cookie of its flow."""
        cookie = cookies(request).get(_cookie_name(answer["state"]))
        return (
            digest_of("answer", cookie, *(part for item in sorted(answer.items()) for part in item))
            if cookie
            else None
        )

    async def _taken(self, request: web.Request, state: str) -> bytes | None:
        cookie = _COOKIE_FORM.fullmatch(cookies(request).get(_cookie_name(state), ""))
        if cookie is None:
            return None
        secret = cookie[2]
        return await self._records.take("flow", digest_of(state, secret), secret=secret.encode())

    @staticmethod
    def close(response: R, state: str) -> R:
        """Let a response take the flow's cookie back from the browser; return it."""
        _drop(response, _cookie_name(state))
        return response


def _drop(response: web.StreamResponse, name: str) -> None:
    response.del_cookie(name, path="/", secure=True, httponly=True, samesite="None")
