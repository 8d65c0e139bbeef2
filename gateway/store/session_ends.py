"""The ends of sessions in Redis: one, one that nobody uses, or many in one step.

Owns what ends: the records are gone, a tombstone says why, the indexes forget, and whoever listens gets a hint. Also
that an end is certain where somebody is told of it.
Never decides that a session ends.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable
from gateway.store.hints import Hints
from gateway.store.index_leaving import end_many_then_leave, run_then_leave
from gateway.store.names import SessionRef, tombstone_key
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.replicas import ReplicaWatch
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.scripts import END
from servicekit.logs import log_event

TOMBSTONE_SECONDS: Final = 900
# Ends that a person, an operator or the authority is told of, and relies on.
_CONFIRMED_ENDS: Final = frozenset({"signed-out", "ended-elsewhere", "ended-by-operator"})
_ROTATED: Final = "rotated"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """A session to end, and the indexes, by kind and owner, that are known to name it."""

    ref: SessionRef
    owners: Sequence[tuple[str, str]]


class SessionEnds:
    """Ends sessions; everything raises SessionStoreUnavailable when Redis fails.

    `replicas` is how many replicas must have an end before it is told; 0 where there is no failover. `hints` are told
    of each end; without them nobody is.
    """

    def __init__(
        self, redis: Any, *, replicas: int, replica_watch: ReplicaWatch, counts: Counts, hints: Hints | None
    ) -> None:
        self._redis = redis
        self._replicas = replicas
        self._replica_watch = replica_watch
        self._counts = counts
        self._hints = hints
        self.on_end: Callable[[SessionRef, str], None] | None = None
        """Who is told of each session that ends, and why."""

    async def end(self, ref: SessionRef, reason: str, owners: Sequence[tuple[str, str]] = ()) -> bool:
        """Remove the session and leave a tombstone that says why; False when it was gone already.

        The indexes of `owners`, by kind and owner, forget it. Raises SessionStoreUnavailable also when somebody is told
        of this end, and a failover could still undo it; a server that has had no replica for a while is waited for no
        longer, as nobody could sign out.
        """
        gone, _ = await self._end(Ending(ref, owners), reason)
        return gone

    async def end_with_successors(
        self, ref: SessionRef, reason: str, owners: Sequence[tuple[str, str]] = ()
    ) -> bool:
        """End a session, also under the id that a step-up gives it meanwhile; raises as `end` does."""
        ended, line = False, [ref]
        for one in line:
            gone, successor = await self._end(Ending(one, owners), reason)
            ended = gone or ended
            line += [successor] if successor else []
        return ended

    async def end_unused(self, ending: Ending, reason: str, *, seen: bytes) -> bool:
        """End a session unless it was used since `seen`, as Redis holds that; False when it was, or is gone."""
        call = _end_call(ending.ref, reason, seen)
        answer, _, _ = await run_then_leave(self._redis, (), call, ending.ref, ending.owners, replicas=None)
        gone = bool(answer[0])
        if gone:
            self._tell(ending.ref, reason, gone=True)
        return gone

    async def end_many(self, endings: Iterable[Ending], reason: str) -> int:
        """End sessions, also under the ids that step-ups give them meanwhile; return how many there were.

        In one round trip where one server has all of them, and no replica must have the ends; raises as `end` does.
        """
        if self._redis.has_slots or (self._replicas and reason in _CONFIRMED_ENDS):
            return sum([await self.end_with_successors(one.ref, reason, one.owners) for one in endings])
        ended, waiting = 0, list(endings)
        while waiting:
            calls = [_end_call(one.ref, reason) for one in waiting]
            answers = await end_many_then_leave(
                self._redis, [(call, one.ref, one.owners) for call, one in zip(calls, waiting, strict=True)]
            )
            successors: list[Ending] = []
            for one, answer in zip(waiting, answers, strict=True):
                ended += bool(answer[0])
                self._tell(one.ref, reason, gone=bool(answer[0]))
                successor = _successor(one.ref, answer)
                successors += [Ending(successor, one.owners)] if successor else []
            waiting = successors
        return ended

    async def confirm(self, ref: SessionRef) -> None:
        """Ask again about a session that is gone already: its end may not be safe yet, or be only that of an old id.

        Raises SessionStoreUnavailable.
        """
        reason = await self.reason(ref)
        if reason == _ROTATED or (self._replicas and reason):
            await self.end_with_successors(ref, "signed-out")

    async def reason(self, ref: SessionRef) -> str | None:
        """Return why the session ended, while that is remembered."""
        async with redis_faults():
            text = await self._redis.get(tombstone_key(ref))
        return text.decode(errors="replace").partition(":")[0] or None if text else None

    async def _end(self, ending: Ending, reason: str) -> tuple[bool, SessionRef | None]:
        """End one id; return whether it was there, and the id that a step-up gave the session instead."""
        call, ref, owners = _end_call(ending.ref, reason), ending.ref, ending.owners
        replicas = self._replicas if reason in _CONFIRMED_ENDS and self._replicas else None
        answer, reached, _ = await run_then_leave(self._redis, (), call, ref, owners, replicas=replicas)
        gone = bool(answer[0])
        if not reached and await self._replica_watch.is_alone(ref.key):
            await self._redis.leave()  # and write it by whoever is the master now
            again, reached, _ = await run_then_leave(self._redis, (), call, ref, owners, replicas=None)
            gone = gone or bool(again[0])
            self._counts.end_not_replicated()
            log_event(
                _log, logging.WARNING, "end-not-replicated", session=ref.short, reason="no replica is there"
            )
        # Also where it was gone: a command that was repeated finds it so, and nobody may have heard of the first time.
        self._tell(ref, reason, gone=gone)
        if not reached:
            raise SessionStoreUnavailable.at_sign_out()
        return gone, _successor(ref, answer)

    def _tell(self, ref: SessionRef, reason: str, *, gone: bool) -> None:
        if gone:
            self._counts.session_ended(reason)
            if self.on_end:
                self.on_end(ref, reason)
        if self._hints:
            self._hints.give(ref)


def _end_call(ref: SessionRef, reason: str, seen: bytes | None = None) -> ScriptCall:
    condition = [] if seen is None else [seen]
    return ScriptCall(END, [ref.key, tombstone_key(ref)], [reason, TOMBSTONE_SECONDS, *condition])


def _successor(ref: SessionRef, answer: Sequence[Any]) -> SessionRef | None:
    reason, _, digest = answer[1].decode(errors="replace").partition(":")
    return SessionRef(ref.family, digest) if reason == _ROTATED and digest else None
