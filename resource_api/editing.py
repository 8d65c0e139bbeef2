"""The one thing that this service is for: a person's own change to their own profile.

Owns the order of the steps (token for Graph, who is it, is it still what the caller saw, write, answer) and the truth
about writes whose end we did not see: saved where a look shows it, otherwise unknown, never a guess.
Never sees a request or a response.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from resource_api import errors
from resource_api.access_tokens import Caller
from resource_api.graph import GraphMe, TokenRefused, WriteUnclear
from resource_api.on_behalf_of import GraphTokens
from resource_api.patience import Patience
from resource_api.profile import Profile, ProfilePatch
from servicekit.deadlines import Deadline
from servicekit.errors import UNKNOWN, AuthorityUnavailable
from servicekit.http.conditions import etag_of, matches
from servicekit.logs import log_event
from servicekit.problems import ProblemError

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edited:
    """A profile as it now is, and what its changed fields were when it was read right before the write."""

    profile: Profile
    before: Profile


class _Errand:
    """One request's dealings with Graph: one caller, one token, one deadline."""

    def __init__(self, caller: Caller, tokens: GraphTokens, deadline: Deadline) -> None:
        self.caller = caller
        self.deadline = deadline
        self._tokens = tokens
        self._token: str | None = None

    async def run(self, work: Callable[[str, Deadline], Awaitable[T]]) -> T:
        """Run `work` with a Graph token; if Graph refuses the token, drop it and try once with a new one."""
        try:
            return await work(await self._held_token(), self.deadline)
        except TokenRefused:
            self._drop()
        try:
            return await work(await self._held_token(), self.deadline)
        except TokenRefused as refused:
            self._drop()
            log_event(_log, logging.ERROR, "graph-refuses-our-tokens", reason=str(refused))
            raise errors.DirectoryUnavailable(str(refused)) from refused

    async def _held_token(self) -> str:
        # Kept here too: near its end an exchange is not remembered, and each step would make another.
        if self._token is None:
            self._token = self._tokens.remembered(self.caller)
        if self._token is None:
            try:
                async with asyncio.timeout(self.deadline.remaining):
                    self._token = await self._tokens.token(self.caller)
            except TimeoutError as error:
                raise AuthorityUnavailable("on-behalf-of: no answer in time") from error
        return self._token

    def _drop(self) -> None:
        self._token = None
        self._tokens.forget(self.caller)


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
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def edit(self, caller: Caller, patch: ProfilePatch, condition: str | None = None) -> Edited:
        """Apply `patch`, if the profile is what `condition` (an `If-Match`) names, and return it as it now is.

        The answer is what was read before plus what was written: Graph's replicas may show the old values for a
        while (its documentation advises to trust the write). An empty patch writes nothing.
        Raises ProfileChanged, and what `GraphTokens.token` and `GraphMe` raise, except TokenRefused and WriteUnclear.
        Not checked: whether what was read is the newest state (a replica may lag), and what anybody but this process's
        other conditional edits writes between this reading and our write: Graph has no conditional write of a user.
        """
        errand = _Errand(caller, self._tokens, Deadline(self._patience.whole))
        async with nullcontext() if condition is None else self._turn(caller):
            return await self._edited(errand, patch, condition)

    @asynccontextmanager
    async def _turn(self, caller: Caller) -> AsyncIterator[None]:
        """Let conditional edits of one person be made one after another, so that the second sees what the first did."""
        lock = self._turns.setdefault(caller.oid, asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience.pause):
                await lock.acquire()
        except TimeoutError as error:
            raise errors.DirectoryUnavailable("another edit of this person takes too long") from error
        try:
            yield
        finally:
            lock.release()

    async def _edited(self, errand: _Errand, patch: ProfilePatch, condition: str | None) -> Edited:
        caller = errand.caller
        before = await errand.run(self._graph.read)
        if before["id"] != caller.oid:
            log_event(_log, logging.ERROR, "graph-answered-for-another-person")
            raise errors.DirectoryUnavailable("Graph's /me is not the caller")
        if condition is not None and not matches(condition, etag_of(before)):
            raise errors.ProfileChanged(before, etag_of(before))
        replaced = {name: before[name] for name in patch.changes}
        if not patch.changes:
            return Edited(before, replaced)
        try:
            await errand.run(lambda token, deadline: self._graph.write(token, patch, caller.oid, deadline))
        except WriteUnclear as doubt:
            return Edited(await self._look(errand, patch, before, doubt), replaced)
        log_event(
            _log,
            logging.INFO,
            "profile-edited",
            fields=list(patch.changes),
            client=caller.client,
        )
        return Edited(patch.applied_to(before), replaced)

    async def _look(
        self, errand: _Errand, patch: ProfilePatch, before: Profile, doubt: WriteUnclear
    ) -> Profile:
        """Find out what became of a write by reading back, twice at most: saved where one look shows every new value.

        A look that does not show it proves nothing: Graph may apply the write later, and its replicas lag behind. All
        values are absolute, so that saving again is safe.
        """
        for pause in self._patience.settle:
            if pause >= errand.deadline.remaining:
                break
            await self._sleep(pause)
            try:
                profile = await errand.run(self._graph.read)
            except ProblemError:
                continue
            if profile["id"] == before["id"] and patch.shows_in(profile):
                log_event(_log, logging.WARNING, "unclear-write-was-saved", cause=str(doubt))
                return patch.applied_to(profile)
        raise errors.DirectoryUnavailable(
            str(doubt), outcome=UNKNOWN, retry_after=doubt.retry_after
        ) from doubt
