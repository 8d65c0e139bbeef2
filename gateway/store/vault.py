"""Sealed, expiring records in Redis.

Owns every Redis command of the gateway: single records that are taken once, the records of a session, indexes,
tombstones and locks; and the translation of any Redis fault into SessionStoreUnavailable.
Never knows what a record means, and never keeps one without a lifetime.

All records of a session are fields of one Redis hash, so that writing, replacing and ending are atomic and an
ended session cannot be written back: a write to a hash that is gone is refused. Keys of one session share a hash
tag (`{family}`), also across a change of its id, as Redis Cluster demands.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.exceptions import RedisError

from gateway.counts import Counts
from gateway.errors import SessionStoreUnavailable
from gateway.failpoints import FailpointReached, Failpoints
from gateway.store.fields import Field, milliseconds, number_of, open_field, seal_field
from gateway.store.names import SessionRef, index_key, lock_key, record_key, tombstone_key
from gateway.store.scripts import CREATE, END, INDEX, RELEASE, REMOVE, RENEW, SWAP, TOUCH, WRITE
from gateway.store.sealing import KeyRing, Unsealable
from servicekit.logs import log_event

_log = logging.getLogger(__name__)

TOMBSTONE_SECONDS: Final = 900
# Ends that a person, an operator or the authority is told of, and relies on.
_TOLD: Final = frozenset({"signed-out", "ended-elsewhere", "ended-by-operator"})
_WRITES: Final = frozenset({CREATE, WRITE, SWAP})
_OVERTAKEN: Final = 2


class Overtaken(Exception):  # noqa: N818 - what happened, handled by reading again
    """The session to be replaced was written since it was read; nothing was done."""


@asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError, FailpointReached) as error:
        raise SessionStoreUnavailable(type(error).__name__) from error


class Vault:
    """Reads and writes sealed records; `now` is the wall clock in seconds.

    `replicas` is how many replicas must have the end of a session before it is told; 0 where there is no failover.
    """

    def __init__(
        self,
        redis: Redis | RedisCluster,
        ring: KeyRing,
        *,
        now: Callable[[], float],
        replicas: int = 0,
        failpoints: Failpoints | None = None,
        counts: Counts | None = None,
    ) -> None:
        self._redis: Any = redis
        self._ring = ring
        self._now = now
        self._replicas = replicas
        self._failpoints = failpoints or Failpoints()
        self._counts = counts or Counts()

    # Single records

    async def put(self, kind: str, owner: str, value: bytes, *, ttl: int, secret: bytes = b"") -> None:
        """Keep `value` for `ttl` seconds."""
        sealed = self._ring.seal(value, kind=kind, owner=owner, secret=secret)
        async with _faults():
            await self._redis.set(record_key(kind, owner), sealed, ex=ttl)

    async def take(self, kind: str, owner: str, *, secret: bytes = b"") -> bytes | None:
        """Return the value and remove it in the same step; None when there is none, or it cannot be opened."""
        async with _faults():
            sealed = await self._redis.getdel(record_key(kind, owner))
        return self._open_single(kind, owner, sealed, secret)

    async def look(self, kind: str, owner: str) -> bytes | None:
        """Return the value and leave it; None when there is none, or it cannot be opened."""
        async with _faults():
            sealed = await self._redis.get(record_key(kind, owner))
        return self._open_single(kind, owner, sealed, b"")

    async def note(self, kind: str, owner: str, *, ttl: int) -> bool:
        """Note that something happened, for `ttl` seconds; False when that was noted before."""
        async with _faults():
            return bool(await self._redis.set(record_key(kind, owner), b"1", ex=ttl, nx=True))

    # A session's records

    async def create(
        self,
        ref: SessionRef,
        fields: Mapping[str, Field],
        *,
        idle: float,
        secret: bytes,
        replaces: SessionRef | None = None,
        mark: bytes = b"",
    ) -> bool:
        """Start a session's hash, ending `replaces` (of the same family, read at `mark`) in the same step.

        Returns False, and does nothing, when either has been ended meanwhile; raises Overtaken when it was written
        since. May be repeated when nobody knows whether it happened.
        """
        pairs: list[Any] = []
        for name, field in fields.items():
            pairs += [name, self._seal(ref, name, field, secret if field.keyed else b"")]
        names = [ref, replaces] if replaces else [ref]
        keys = [key for one in names for key in (one.key, tombstone_key(one))]
        times = [round(idle * 1000), milliseconds(self._now()), TOMBSTONE_SECONDS]
        arguments = [*times, mark, ref.digest, *pairs]
        created, reached = await self._run_confirmed(CREATE, keys, arguments, wanted=replaces is not None)
        if created == _OVERTAKEN:
            raise Overtaken
        if created and not reached:
            # Refusing would sign the person out; the old id opens what it opened before, and nothing that is new.
            log_event(_log, logging.WARNING, "rotation-not-confirmed", session=ref.short)
        return bool(created)

    async def read(self, ref: SessionRef, names: Sequence[str], *, secret: bytes) -> list[bytes | None]:
        """Return the fields' values; None for those that are absent, expired or cannot be opened."""
        async with _faults():
            stored = await self._redis.hmget(ref.key, list(names))
        return [self._open(ref, name, value, secret) for name, value in zip(names, stored, strict=True)]

    async def touch(self, ref: SessionRef, *, idle: float) -> None:
        """Note that the session is in use: it now lives `idle` seconds from here."""
        await self._run(TOUCH, [ref.key], [milliseconds(self._now()), round(idle * 1000)])

    async def write(self, ref: SessionRef, name: str, field: Field, *, secret: bytes) -> bool:
        """Write one field; False, and nothing written, when the session has ended.

        Of names with a colon (`parked:…`) the expired ones of the same kind are removed on the way, and the
        oldest beyond twenty.
        """
        sealed = self._seal(ref, name, field, secret)
        arguments = [name, sealed, name.partition(":")[0] + ":", milliseconds(self._now())]
        return bool(await self._run(WRITE, [ref.key], arguments))

    async def read_beside(
        self, ref: SessionRef, name: str, number: str, *, secret: bytes
    ) -> tuple[bytes | None, int]:
        """Return a field's value together with a plain number of the same session, 0 where there is none.

        The numbers are `seen`, when the session was last used (milliseconds since 1970), and `…_version`, for `swap`.
        """
        async with _faults():
            stored, beside = await self._redis.hmget(ref.key, [name, number])
        return self._open(ref, name, stored, secret), number_of(beside)

    async def swap(self, ref: SessionRef, name: str, field: Field, *, version: int, secret: bytes) -> bool:
        """Write a field only if its version is still `version`; False when it is not, or the session has ended.

        The version is the fence: whoever lost a lock without noticing cannot overwrite what came after.
        """
        sealed = self._seal(ref, name, field, secret)
        return bool(await self._run(SWAP, [ref.key], [name, sealed, f"{name}_version", str(version)]))

    async def remove(self, ref: SessionRef, *names: str) -> None:
        """Remove fields; those that are not there are no fault."""
        await self._run(REMOVE, [ref.key], names)

    async def mark(self, ref: SessionRef) -> bytes:
        """Return the mark of what was written to the session up to now, for `create`."""
        async with _faults():
            return await self._redis.hget(ref.key, "writes") or b"0"

    async def names(self, ref: SessionRef, kind: str) -> list[str]:
        """Return the names of the fields of one kind (`parked:`)."""
        async with _faults():
            found = await self._redis.hkeys(ref.key)
        return [name.decode() for name in found if name.startswith(kind.encode())]

    async def end(self, ref: SessionRef, reason: str) -> bool:
        """Remove the session and leave a tombstone that says why; False when it was gone already.

        Raises SessionStoreUnavailable also when somebody is told of this end, and a failover could still undo it.
        """
        keys, arguments = [ref.key, tombstone_key(ref)], [reason, TOMBSTONE_SECONDS]
        gone, reached = await self._run_confirmed(END, keys, arguments, wanted=reason in _TOLD)
        if gone:
            self._counts.session_ended(reason)
        if not reached:
            raise SessionStoreUnavailable.at_sign_out()
        return bool(gone)

    async def end_line(self, ref: SessionRef, reason: str) -> bool:
        """End a session, also under the id that a step-up gives it meanwhile; raises as `end` does."""
        ended, line = False, [ref]
        for one in line:
            ended = await self.end(one, reason) or ended
            _, _, successor = (await self._tombstone(one)).partition(":")
            line += [SessionRef(ref.family, successor)] if successor else []
        return ended

    async def confirm_end(self, ref: SessionRef) -> None:
        """Ask again about a session that is gone already: its end may not be safe yet, or be only that of an old id.

        Raises SessionStoreUnavailable.
        """
        reason = await self.ended(ref)
        if reason == "rotated" or (self._replicas and reason):
            await self.end_line(ref, "signed-out")

    async def ended(self, ref: SessionRef) -> str | None:
        """Return why the session ended, while that is remembered."""
        return (await self._tombstone(ref)).partition(":")[0] or None

    async def _tombstone(self, ref: SessionRef) -> str:
        async with _faults():
            told = await self._redis.get(tombstone_key(ref))
        return told.decode(errors="replace") if told else ""

    # Indexes: which sessions belong together; never sealed, as they hold only hashes

    async def index(self, kind: str, owner: str, ref: SessionRef, *, at: float, ttl: int) -> None:
        """Note that the session, begun `at` (seconds since 1970), belongs to `owner`.

        `ttl` is how long any session lives; references that are older are dropped on the way.
        """
        key = index_key(kind, owner)
        await self._run(INDEX, [key], [ref.packed, at, self._now() - ttl, ttl])

    async def unindex(self, kind: str, owner: str, ref: SessionRef) -> None:
        """Forget that the session belongs to `owner`."""
        async with _faults():
            await self._redis.zrem(index_key(kind, owner), ref.packed)

    async def indexed(self, kind: str, owner: str, *, until: float | None = None) -> list[SessionRef]:
        """Return the sessions of `owner` that began at `until` or before, ended ones perhaps among them."""
        async with _faults():
            members = await self._redis.zrangebyscore(
                index_key(kind, owner), "-inf", "+inf" if until is None else until
            )
        return [SessionRef.unpack(member) for member in members]

    # Locks

    async def lock(self, ref: SessionRef, name: str, *, seconds: float) -> str | None:
        """Take a lock for at most `seconds`; return its holder's mark, or None when it is taken."""
        mark = secrets.token_hex(16)
        async with _faults():
            got = await self._redis.set(lock_key(ref, name), mark, nx=True, px=round(seconds * 1000))
        return mark if got else None

    async def renew(self, ref: SessionRef, name: str, mark: str, *, seconds: float) -> bool:
        """Prolong the lock to `seconds` from now, if it is still ours."""
        return bool(await self._run(RENEW, [lock_key(ref, name)], [mark, round(seconds * 1000)]))

    async def unlock(self, ref: SessionRef, name: str, mark: str) -> None:
        """Release the lock, if it is still ours."""
        await self._run(RELEASE, [lock_key(ref, name)], [mark])

    async def ping(self) -> None:
        """Ask Redis for a sign of life; raises SessionStoreUnavailable."""
        async with _faults():
            await self._redis.ping()

    def _open_single(self, kind: str, owner: str, sealed: bytes | None, secret: bytes) -> bytes | None:
        try:
            return self._ring.open(sealed, kind=kind, owner=owner, secret=secret) if sealed else None
        except Unsealable:
            return None

    def _seal(self, ref: SessionRef, name: str, field: Field, secret: bytes) -> bytes:
        return seal_field(self._ring, ref, name, field, secret=secret)

    def _open(self, ref: SessionRef, name: str, stored: bytes | None, secret: bytes) -> bytes | None:
        try:
            return open_field(self._ring, ref, name, stored or b"", secret=secret, now=self._now())
        except Unsealable:
            log_event(_log, logging.INFO, "record-not-opened", kind=name.partition(":")[0], session=ref.short)
            return None

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - what the script returns
        async with _faults():
            if script in _WRITES:
                await self._failpoints.reach("redis-write")
            return await self._redis.eval(script, len(keys), *keys, *arguments)

    async def _run_confirmed(
        self, script: str, keys: Sequence[str], arguments: Sequence[Any], *, wanted: bool
    ) -> tuple[Any, bool]:
        if not (wanted and self._replicas):
            return await self._run(script, keys, arguments), True
        run: Callable[..., Awaitable[tuple[Any, bool]]] = self._redis.run_confirmed
        async with _faults():
            return await run(script, keys, arguments, replicas=self._replicas)
