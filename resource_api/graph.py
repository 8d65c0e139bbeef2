"""Microsoft Graph's `/me`: the only two calls that this service makes with a Graph token.

Owns the requests (built from constants and our own fields, never copied from the caller), one retry where Graph
asks for patience and did nothing, and what each answer means.
Never passes on Graph's text, and never asks for anybody but `/me`.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from resource_api import errors
from resource_api.patience import Patience
from resource_api.profile import EDITABLE, MEMBERS, Profile, ProfilePatch, profile_of
from servicekit.challenges import INSUFFICIENT_CLAIMS, parse_bearer_challenges
from servicekit.deadlines import Deadline, RetryBudget
from servicekit.errors import AccessBlocked
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.problems import ProblemError
from servicekit.refused_writes import refuses_before_doing
from servicekit.reply import Reply
from servicekit.text_fields import INVALID_VALUE, FieldError
from servicekit.upstream import Upstream

UPSTREAM: Final = Upstream("graph", call_seconds=8)
_SELECT: Final = ",".join(MEMBERS)
_OK: Final = 200
_DONE: Final = 204
_INVALID: Final = 400
_BUSY: Final = frozenset({429, 503})
_CONCURRENT: Final = "Directory_ConcurrencyViolation"


class TokenRefused(Exception):
    """Graph answered 401 and asks for no claims: the token is no good, another may be."""


class WriteUnclear(Exception):
    """The change may or may not have been made; the message says why we can't know.

    `retry_after` is how many seconds Graph asked to wait, if it did.
    """

    def __init__(self, cause: str, *, retry_after: int | None = None) -> None:
        super().__init__(cause)
        self.retry_after = retry_after


class GraphMe:
    """Reads and writes the profile of whoever a token belongs to; `url` is Graph's address with its version."""

    def __init__(
        self,
        outbound: Outbound,
        url: str,
        *,
        patience: Patience,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._outbound = outbound
        self._url = f"{url}/me"
        self._patience = patience
        self._sleep = sleep
        self._jitter = jitter
        self._budget = RetryBudget()

    async def read(self, token: str, deadline: Deadline) -> Profile:
        """Return the profile.

        Raises TokenRefused, InsufficientClaims, AccessBlocked, ProfileNotFound, DirectoryUnavailable, ResourceBusy.
        """
        headers = _headers(token)
        try:
            reply = await self._once("GET", deadline, headers=headers, params={"$select": _SELECT})
            if (pause := self._pause_before_retry(reply, deadline)) is not None:
                await self._sleep(pause)
                reply = await self._once("GET", deadline, headers=headers, params={"$select": _SELECT})
        except OutboundError as error:
            raise errors.DirectoryUnavailable(
                f"GET /me: {error.reason}", retry_after=error.retry_after
            ) from error
        if reply.status != _OK:
            raise _refusal(reply) or errors.DirectoryUnavailable(
                _reason(reply), retry_after=reply.retry_after
            )
        try:
            return profile_of(reply.json())
        except ValueError as error:
            raise errors.DirectoryUnavailable(f"{_reason(reply)}, but no profile") from error

    async def write(self, token: str, patch: ProfilePatch, person: str, deadline: Deadline) -> None:
        """Change the profile of `person` (an oid); only the given fields are sent. Returns where Graph did it.

        Evidence of that is 204, Graph's documented answer, or 200 with the profile that shows the change.
        Raises WriteUnclear where nothing says whether it was done; what `read` raises, and InvalidProfilePatch where
        Graph refuses a value: then it was not.
        """
        reply = await self._patch(token, patch, deadline)
        pause = self._pause_before_retry(reply, deadline)
        if pause is None:
            return _judge(reply, patch, person)
        await self._sleep(pause)
        with _second_try_after(reply):
            return _judge(await self._patch(token, patch, deadline), patch, person)

    async def _patch(self, token: str, patch: ProfilePatch, deadline: Deadline) -> Reply:
        try:
            return await self._once("PATCH", deadline, headers=_headers(token), json_body=dict(patch.changes))
        except OutboundError as error:
            cause = f"PATCH /me: {error.reason}"
            if error.maybe_done:
                raise WriteUnclear(cause) from error
            raise errors.DirectoryUnavailable(cause, retry_after=error.retry_after) from error

    async def _once(self, method: str, deadline: Deadline, **request: Any) -> Reply:
        seconds = min(self._patience.call, deadline.remaining)
        if seconds <= 0:
            raise OutboundError("no time left", maybe_done=False)
        self._budget.called()
        return await self._outbound.send(method, self._url, timeout_seconds=seconds, **request)

    def _pause_before_retry(self, reply: Reply, deadline: Deadline) -> float | None:
        """Return how long to wait before the one retry, or None where there is none.

        A write may be repeated, too: after 429 and a concurrency violation nothing was done, and after 503 the same
        values are set again, if they were.
        """
        if reply.status in {_OK, _DONE} or (reply.status not in _BUSY and _code(reply) != _CONCURRENT):
            return None
        pause = reply.retry_after if reply.retry_after is not None else 0.3 + self._jitter() / 2
        affordable = pause <= self._patience.pause and pause < deadline.remaining
        return pause if affordable and self._budget.take() else None


def _headers(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def _judge(reply: Reply, patch: ProfilePatch, person: str) -> None:
    """Return where the answer to a PATCH is evidence that it was done; raise what else it is."""
    if reply.status == _DONE or (reply.status == _OK and _shows(reply, patch, person)):
        return
    if not refuses_before_doing(reply.status):
        raise WriteUnclear(_reason(reply), retry_after=reply.retry_after)
    if _code(reply) == _CONCURRENT:
        raise errors.ResourceBusy(_reason(reply), retry_after=reply.retry_after)
    if reply.status == _INVALID:
        raise _invalid(reply)
    raise _refusal(reply) or errors.DirectoryUnavailable(_reason(reply))


def _shows(reply: Reply, patch: ProfilePatch, person: str) -> bool:
    try:
        profile = profile_of(reply.json())
    except ValueError:
        return False
    return profile["id"] == person and patch.shows_in(profile)


@contextmanager
def _second_try_after(first: Reply) -> Iterator[None]:
    """Let the block write once more; unless the first try was refused, a refusal of the second says too little."""
    try:
        yield
    except (ProblemError, TokenRefused) as refused:
        if refuses_before_doing(first.status):
            raise
        raise WriteUnclear(f"{_reason(first)} to the first try", retry_after=first.retry_after) from refused


def _refusal(reply: Reply) -> Exception | None:
    """Return what an answer that is clearly a refusal means; None where it says nothing about the write."""
    if reply.status in {401, 403}:
        for challenge in parse_bearer_challenges(reply.headers.getall("WWW-Authenticate", [])):
            if challenge.claims or challenge.error == INSUFFICIENT_CLAIMS:
                return errors.InsufficientClaims(challenge.claims, cause=f"{_reason(reply)} with claims")
    reason = _reason(reply)
    meanings: dict[int, Callable[[], Exception]] = {
        401: lambda: TokenRefused(reason),
        403: lambda: AccessBlocked(log_detail=f"{reason}: is Graph's User.ReadWrite granted to this API?"),
        404: lambda: errors.ProfileNotFound(reason),
        409: lambda: errors.ResourceBusy(reason, retry_after=reply.retry_after),
        429: lambda: errors.ResourceBusy(reason, retry_after=reply.retry_after),
        503: lambda: errors.ResourceBusy(reason, retry_after=reply.retry_after),
    }
    meaning = meanings.get(reply.status)
    return meaning() if meaning else None


def _invalid(reply: Reply) -> ProblemError:
    """Return Graph's 400 as faults of our fields, in our words; its own text stays in its house."""
    details = _error(reply).get("details")
    targets = (
        [entry.get("target") for entry in details if isinstance(entry, dict)]
        if isinstance(details, list)
        else []
    )
    named = [name for name in EDITABLE.names if name in targets]
    faults = [FieldError(name, INVALID_VALUE, "The directory does not accept this value.") for name in named]
    unnamed = [FieldError("", INVALID_VALUE, "The directory does not accept one of the values.")]
    return errors.InvalidProfilePatch(faults or unnamed, log_detail=_reason(reply))


def _error(reply: Reply) -> Mapping[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _code(reply: Reply) -> str:
    code = _error(reply).get("code")
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z_]{1,60}", code) else ""


def _reason(reply: Reply) -> str:
    """Return what an operator can look up: status, Graph's error code and request id."""
    request_id = re.sub(r"[^0-9A-Za-z-]", "", reply.headers.get("request-id", ""))[:40]
    return f"Graph answered {reply.status} {_code(reply)} (request-id {request_id or 'none'})".replace(
        "  ", " "
    )
