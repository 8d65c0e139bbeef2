"""The one thing that this service is for: a person's own change to their own profile.

Owns the order of the steps (token for Graph, who is it, write, answer) and the truth about writes whose end we
did not see: saved, not saved, or unknown, never a guess.
Never sees a request or a response.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from resource_api import errors
from resource_api.access import Caller
from resource_api.deadlines import Deadline, Patience
from resource_api.graph import Call, GraphMe, TokenRefused, WriteUnclear
from resource_api.on_behalf_of import GraphTokens
from resource_api.profile import Profile, ProfilePatch
from servicekit.logs import log_event
from servicekit.problems import ProblemError

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


class ProfileEditor:
    """Applies patches for callers."""

    def __init__(
        self,
        tokens: GraphTokens,
        graph: GraphMe,
        *,
        patience: Patience,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._tokens = tokens
        self._graph = graph
        self._patience = patience
        self._sleep = sleep

    async def edit(self, caller: Caller, patch: ProfilePatch, correlation: str) -> Profile:
        """Apply `patch` and return the profile as it now is.

        The answer is what was read before plus what was written: Graph's replicas may show the old values for a
        while (its documentation advises to trust the write). An empty patch writes nothing.
        Raises what `GraphTokens.token` and `GraphMe` raise, except TokenRefused and WriteUnclear.
        """
        call = Call(correlation, Deadline(self._patience.whole))
        before = await self._with_token(caller, call, lambda token: self._graph.read(token, call))
        if before["id"] != caller.oid:
            log_event(_log, logging.ERROR, "graph-answered-for-another-person", reference=correlation)
            raise errors.ResourceUnavailable("Graph's /me is not the caller")
        if not patch.changes:
            return before
        try:
            await self._with_token(caller, call, lambda token: self._graph.write(token, patch.changes, call))
        except WriteUnclear as doubt:
            return await self._look(caller, patch, before, call, doubt)
        log_event(
            _log,
            logging.INFO,
            "profile-edited",
            fields=list(patch.changes),
            client=caller.client,
            reference=correlation,
        )
        return patch.applied_to(before)

    async def _with_token(self, caller: Caller, call: Call, work: Callable[[str], Awaitable[T]]) -> T:
        """Run `work` with a Graph token; if Graph refuses the token, drop it and try once with a new one."""
        try:
            return await work(await self._token(caller, call))
        except TokenRefused:
            self._tokens.forget(caller)
        try:
            return await work(await self._token(caller, call))
        except TokenRefused as refused:
            self._tokens.forget(caller)
            log_event(_log, logging.ERROR, "graph-refuses-our-tokens", told=str(refused))
            raise errors.ResourceUnavailable(str(refused)) from refused

    async def _token(self, caller: Caller, call: Call) -> str:
        try:
            async with asyncio.timeout(call.deadline.left):
                return await self._tokens.token(caller)
        except TimeoutError as error:
            raise errors.AuthorityUnavailable("on-behalf-of: no answer in time") from error

    async def _look(
        self, caller: Caller, patch: ProfilePatch, before: Profile, call: Call, doubt: WriteUnclear
    ) -> Profile:
        """Find out what became of a write by reading back, twice at most.

        Saved: the profile shows every new value. Not saved: every look, the last one included, showed every old
        value. Anything else (a mixture, no answer, no time, nothing that would have moved) is unknown. A write
        that is applied after the last look is beyond this; all values are absolute, so that saving again is safe.
        """
        seen: Profile | None = None
        for pause in self._patience.settle:
            if pause >= call.deadline.left:
                seen = None
                break
            await self._sleep(pause)
            try:
                seen = await self._with_token(caller, call, lambda token: self._graph.read(token, call))
            except ProblemError:
                seen = None
                continue
            if seen["id"] == before["id"] and patch.shows_in(seen):
                log_event(
                    _log,
                    logging.WARNING,
                    "unclear-write-was-saved",
                    cause=str(doubt),
                    reference=call.correlation,
                )
                return patch.applied_to(seen)
            if not patch.differs_wholly_from(seen, before):
                seen = None
        outcome = errors.NOT_SAVED if seen is not None else errors.UNKNOWN
        raise errors.ResourceUnavailable(str(doubt), outcome=outcome) from doubt
