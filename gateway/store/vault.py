"""Sealed, expiring records in Redis.

Owns the gateway's Redis commands for the records of a session and for its end, and hears the time with what it reads.
Single records, indexes and leases have modules of their own.
Never knows what a record means, and never keeps one without a lifetime.

All records of a session are fields of one Redis hash, so that writing, replacing and ending are atomic and an
ended session cannot be written back: a write to a hash that is gone is refused. Keys of one session share a hash
tag (`{family}`), also across a change of its id, as Redis Cluster demands.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from gateway.counts import Counts
from gateway.store.fields import Field, milliseconds, open_field, seal_field
from gateway.store.hints import Hints
from gateway.store.index_leaving import run_then_leave
from gateway.store.memory_watch import MemoryWatch
from gateway.store.names import PREFIX, SessionRef, index_key, lock_key, tombstone_key
from gateway.store.orphans import Orphans
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.faults import redis_faults
from gateway.store.redis.packing import packed
from gateway.store.redis.reads import Reads
from gateway.store.redis.replicas import ReplicaWatch
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.redis_clock import RedisClock
from gateway.store.scripts import CREATE, INDEX, READ, READ_ALL, TOUCH, WRITE
from gateway.store.sealing import KeyRing, Unsealable
from gateway.store.session_ends import TOMBSTONE_SECONDS, SessionEnds
from gateway.store.time_along import TimeAlong
from gateway.store.written import Written
from servicekit.logs import log_event

_log = logging.getLogger(__name__)

# When the session was last used (milliseconds since 1970), and how often it was written: plain numbers.
SEEN, WRITES = "seen", "writes"
SESSION_BYTES: Final = 327_680
"""A hash of a session is no larger (64 KiB for what each holds, 256 for requests that wait), but for what must be."""
NO_LIMIT: Final = 1_000_000_000
_OVERTAKEN: Final = 2

Stored = Mapping[str, bytes | None]
"""Fields of a session's hash as Redis holds them, by name; None for those that are not there."""


class Overtaken(Exception):
    """The session to be replaced was written since it was read; nothing was done."""


@dataclass(frozen=True, slots=True)
class Successor:
    """The session that a new one takes the place of: of the same family, read at `mark`."""

    replaces: SessionRef
    mark: bytes


@dataclass(frozen=True, slots=True)
class Indexing:
    """The indexes, by kind and owner, that name a session; none of theirs is older than `ttl` seconds.

    The first of them is crowded when it names more than `most`.
    """

    owners: Sequence[tuple[str, str]]
    at: float
    ttl: int
    most: int = NO_LIMIT


class Begun(IntEnum):
    """Whether a session began, and whether the first of its indexes is crowded since."""

    NOT = 0
    YES = 1
    IN_A_CROWD = 2


class Vault:
    """Reads and writes sealed records; `now` is Redis' clock, which hears the time with all that is read.

    `replicas` is how many replicas must have the end of a session before it is told; 0 where there is no failover.
    `hints` are told of whatever changed; without them nobody is.
    """

    def __init__(
        self,
        redis: GuardedRedis | GuardedCluster,
        ring: KeyRing,
        *,
        now: RedisClock | Callable[[], float],
        replicas: int = 0,
        counts: Counts | None = None,
        hints: Hints | None = None,
        replica_watch: ReplicaWatch | None = None,
    ) -> None:
        # redis-py types its answers as text or bytes, and as awaitable or not.
        self.redis: Any = redis
        self.ring = ring
        self.now = now
        self._clock = now if isinstance(now, RedisClock) else None
        self.reads = redis.reads
        self._shared = self.reads if isinstance(self.reads, Reads) else None
        if self._clock:
            self.reads.ask_along(TimeAlong(self._clock))
        self._replicas = replicas
        self._counts = counts or Counts()
        self.hints = hints
        self.orphans = Orphans(redis, now)
        self.memory_watch = MemoryWatch(redis)
        self.replica_watch = replica_watch or ReplicaWatch(redis)
        self.ends = SessionEnds(
            redis, replicas=replicas, replica_watch=self.replica_watch, counts=self._counts, hints=hints
        )

    async def create(
        self,
        ref: SessionRef,
        fields: Mapping[str, Field],
        *,
        idle: float,
        secret: bytes,
        indexing: Indexing,
        successor: Successor | None = None,
    ) -> Begun:
        """Start a session's hash, named by its indexes first, and end the one that it takes the place of.

        A reference without a session does no harm; a session that no sign-out finds does. Returns NOT, and does
        nothing, when either session has been ended meanwhile; raises Overtaken when the old one was written since.
        May be repeated when nobody knows whether it happened.
        """
        pairs: list[Any] = []
        for name, field in fields.items():
            pairs += [name, self.seal(ref, name, field, secret if field.keyed else b"")]
        names = [ref, successor.replaces] if successor else [ref]
        keys = [key for one in names for key in (one.key, tombstone_key(one))]
        times = [round(idle * 1000), milliseconds(self.now()), TOMBSTONE_SECONDS]
        mark = successor.mark if successor else b""
        oldest = self.known_time() - indexing.ttl
        joining = [
            ScriptCall(
                INDEX, [index_key(*owner)], [ref.packed, indexing.at, oldest, indexing.ttl, indexing.most]
            )
            for owner in indexing.owners
        ]
        created, reached, crowded = await run_then_leave(
            self.redis,
            joining,
            ScriptCall(CREATE, keys, [*times, mark, ref.digest, *pairs]),
            successor.replaces if successor else None,
            indexing.owners,
            replicas=self._replicas if successor and self._replicas else None,
        )
        if created == _OVERTAKEN:
            raise Overtaken
        if created and successor:
            self._hint(ref)
        if created and not reached:
            # Refusing would sign the person out; the old id opens nothing that is new.
            log_event(_log, logging.WARNING, "rotation-not-confirmed", session=ref.short)
        if not created:
            return Begun.NOT
        return Begun.IN_A_CROWD if any(crowded[:1]) else Begun.YES

    async def read(self, ref: SessionRef, names: Sequence[str]) -> Stored:
        """Return fields as Redis holds them; `open` opens one."""
        return dict(zip(names, await self._read(ref.key, names), strict=True))

    async def read_all(self, ref: SessionRef) -> Stored:
        """Return everything that the session holds; nothing where there is no session."""
        flat: list[bytes] = await self.run_read(READ_ALL, [ref.key], [])
        return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}

    def mark_command(self, ref: SessionRef) -> bytes:
        """Return what `read_mark` sends for a session: made once, and good as long as there is the session."""
        return packed("HMGET", ref.key, SEEN, WRITES)

    def read_mark(self, command: bytes, ref: SessionRef) -> Awaitable[Sequence[bytes | None]]:
        """Return when a session was used last, and how often it was written, as Redis holds both.

        None for what is not there. `command` is what `mark_command` returned for it. Raises SessionStoreUnavailable.
        """
        shared = self._shared
        return self._read(ref.key, (SEEN, WRITES)) if shared is None else shared.values(command, 2)

    async def _read(self, key: str, names: Sequence[str]) -> Sequence[bytes | None]:
        """Return fields of a hash, and hear the time where that is due."""
        command = packed("HMGET", key, *names)
        return await self.reads.values(command, len(names)) or await self.run_read(READ, [key], names)

    async def touch(self, ref: SessionRef, *, idle: float) -> bytes | None:
        """Let the session live `idle` seconds from here; return `seen` as Redis holds it now, None where it ended."""
        seen = milliseconds(self.now())
        return str(seen).encode() if await self.run(TOUCH, [ref.key], [seen, round(idle * 1000)]) else None

    async def write(
        self,
        ref: SessionRef,
        fields: Mapping[str, Field | None],
        *,
        secret: bytes,
        over: tuple[str, int] | None = None,
        release: tuple[str, str] | None = None,
    ) -> Written:
        """Write fields in one step, remove those that are None, and let go of the lock `release` (name and mark).

        With `over`, the first field is written only where that plain number has still this value, which is then one
        more: whoever lost a lock without noticing cannot overwrite what came after; the others are written anyway.
        Fields that a session has no room for are left out, and those that have ended or are too many of a kind go.
        May be repeated when nobody knows whether it happened.
        """
        sealed: dict[str, bytes] = {}
        parts: list[Any] = []
        for name, field in fields.items():
            sealed[name] = self.seal(ref, name, field, secret if field.keyed else b"") if field else b""
            parts += [name, sealed[name], field.most if field else 0]
        version, expected = (over[0], str(over[1])) if over else ("", "")
        lock, mark = release or ("", "")
        keys = [ref.key, *([lock_key(ref, lock)] if release else [])]
        head = [milliseconds(self.known_time()), mark, version, expected, SESSION_BYTES]
        written = Written.of(await self.run(WRITE, keys, [*head, *parts]), sealed)
        if written.writes:
            self._hint(ref)
        return written

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises SessionStoreUnavailable."""
        async with redis_faults():
            await self.redis.ping()

    def seal(self, ref: SessionRef, name: str, field: Field, secret: bytes) -> bytes:
        """Return a field as it lies in Redis."""
        return seal_field(self.ring, ref, name, field, secret=secret)

    def open(self, ref: SessionRef, name: str, stored: bytes | None, *, secret: bytes) -> Field | None:
        """Return a field; None where it is absent, has ended or cannot be opened."""
        try:
            return open_field(self.ring, ref, name, stored or b"", secret=secret, now=self.now())
        except Unsealable:
            log_event(_log, logging.INFO, "record-not-opened", kind=name.partition(":")[0], session=ref.short)
            return None

    async def time(self) -> float:
        """Return the time, asked for unless Redis has told it in the last minute; for what begins without a session.

        Raises SessionStoreUnavailable.
        """
        if self._clock and self._clock.is_old:
            await self._read(f"{PREFIX}:time", [SEEN])
        return self.now()

    async def run_read(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script that tells the time before what it reads, and return the latter; raises SessionStoreUnavailable.

        None where the script returns nothing.
        """
        answer = await self.run(script, keys, arguments)
        if answer is None:
            return None
        self.hear(answer)
        return answer[1:]

    def hear(self, answer: Sequence[Any]) -> None:
        """Hear the time at the head of an answer."""
        if self._clock:
            self._clock.hear(int(answer[0]))

    def known_time(self) -> float:
        """Return the time by which others' records may be removed: none has come for whoever was never told it."""
        return self.now() if self.knows_time else 0.0

    @property
    def knows_time(self) -> bool:
        """Whether Redis has told the time."""
        return self._clock is None or self._clock.is_heard

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """Run a script; raises SessionStoreUnavailable."""
        async with redis_faults():
            return await self.redis.run_script(ScriptCall(script, keys, arguments))

    def _hint(self, ref: SessionRef) -> None:
        if self.hints:
            self.hints.give(ref)
