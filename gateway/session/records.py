"""The records of a session: what it holds beside its person, read once and written in one step.

Owns a record's name and form, whether it survives a step-up, and what of it this request knows already.
Never knows what a record is for; each kind is declared where it is used.
"""

import math
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.store.fields import Field, end_of, number_of
from gateway.store.leases import WAIT_SECONDS, Lease, lease
from gateway.store.names import SessionRef
from gateway.store.stored_form import read_record, write_record
from gateway.store.successors import remove_from_successors
from gateway.store.vault import WRITES, Stored, Vault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordKind(Generic[T]):
    """One kind of record: its name, and the type that it is written from and read as (bytes: as they are).

    A session holds one of a kind, or several by `key` (`parked:…`). What does not survive a step-up is gone with the
    session's old id. Of what a person may write as often as they like it holds `most`, and no more than it has room
    for.
    """

    name: str
    type: type[T]
    survives_step_up: bool = False
    most: int = 0

    def field(self, key: str = "") -> str:
        """Return the name of its field."""
        return f"{self.name}:{key}" if key else self.name

    @property
    def version_field(self) -> str:
        """The name of the plain number that counts how often the record was replaced by `swap`."""
        return f"{self.name}_version"

    def entry(self, value: T, expires_at: float, key: str = "") -> dict[str, Field]:
        """Return the record as it is written; it is gone at `expires_at` (seconds since 1970)."""
        return {self.field(key): self.record(value, expires_at)}

    def record(self, value: T, expires_at: float) -> Field:
        """Return the record's value with its end."""
        text = value if isinstance(value, bytes) else write_record(value)
        return Field(text, expires_at, most=self.most)

    def read(self, stored: bytes) -> T | None:
        """Return what `record` wrote; None for what is no record of this kind."""
        if self.type is bytes:
            return stored  # type: ignore[return-value]  # T is bytes here
        return read_record(self.type, stored)


Entries = Mapping[str, Field | None]
"""Records on their way to the session, by field name; None removes one."""


class SessionRecords:
    """The records of one session under one cookie.

    `stored` is what was read of it when the cookie was opened, or `complete`, all that it holds; anything else is read
    when it is asked for. Whatever is written is known here as well. Everything raises SessionStoreUnavailable when
    Redis fails.
    """

    def __init__(
        self, vault: Vault, ref: SessionRef, secret: bytes, stored: Stored, *, complete: bool = False
    ) -> None:
        self._vault = vault
        self._ref = ref
        self._secret = secret
        self._stored: dict[str, bytes | None] = dict(stored)
        self._complete = complete

    def __repr__(self) -> str:
        return f"SessionRecords({self._ref.short}: {', '.join(sorted(self._stored))})"

    async def get(self, kind: RecordKind[T], key: str = "") -> T | None:
        """Return a record; None where there is none, it has ended or cannot be opened."""
        name = kind.field(key)
        await self._need([name])
        field = self._open(name)
        return kind.read(field.value) if field else None

    def raw(self, names: Sequence[str]) -> tuple[bytes | None, ...]:
        """Return fields as they were read, None for those that were not."""
        return tuple(self._stored.get(name) for name in names)

    def next_end(self, names: Sequence[str], now: float) -> float:
        """Return when the first of these records ends that has not ended by `now`, as far as they were read."""
        ends = [end_of(stored) for stored in self.raw(names) if stored]
        return min((end for end in ends if end > now), default=math.inf)

    async def version(self, kind: RecordKind[T]) -> int:
        """Return how often a record was replaced by `swap`."""
        await self._need([kind.version_field])
        return number_of(self._stored[kind.version_field])

    async def refresh(self, names: Sequence[str]) -> None:
        """Read fields again, whatever is known of them."""
        self._stored |= await self._vault.read(self._ref, names)

    async def refresh_all(self) -> None:
        """Read everything again."""
        self._stored, self._complete = dict(await self._vault.read_all(self._ref)), True

    async def put(self, entries: Entries, *, release: Lease | None = None) -> bool:
        """Write records in one step, and let go of a lease with it; False, and nothing written, when the session ended.

        Of kinds with keys the ended ones are removed on the way, and the oldest beyond the most. What the session has
        no room for is left out, and is known as not being there (`raw`).
        """
        return await self._write(entries, None, release)

    async def swap(
        self,
        kind: RecordKind[T],
        entries: Entries,
        *,
        version: int,
        beside: Entries | None = None,
        release: Lease | None = None,
    ) -> bool:
        """Write a record only where its version is still `version`; False when it is not, or the session has ended.

        `beside` is written in the same step, whatever the version.
        """
        return await self._write({**entries, **(beside or {})}, (kind.version_field, version), release)

    async def remove(self, *names: str) -> None:
        """Remove records; those that are not there are no fault."""
        await self.put(dict.fromkeys(names))

    async def remove_from_successors(self, names: Sequence[str]) -> None:
        """Remove records that are done with, and went along when a step-up gave the session another id meanwhile.

        Without the new session's cookie nothing can be written there, or read.
        """
        await remove_from_successors(self._vault, self._ref, names)

    async def survivors(self, kinds: Iterable[RecordKind[Any]]) -> tuple[dict[str, Field], bytes]:
        """Return what of everything that was read survives a step-up, and the mark of what was written until then."""
        await self._need([WRITES])
        lasting = {kind.name for kind in kinds if kind.survives_step_up}
        opened = {name: self._open(name) for name in self._stored if name.partition(":")[0] in lasting}
        return {name: field for name, field in opened.items() if field}, self._stored[WRITES] or b"0"

    @asynccontextmanager
    async def lease(
        self, name: str, *, fields: Sequence[str] = (), wait: float = WAIT_SECONDS
    ) -> AsyncIterator[Lease]:
        """Hold the lock `name` of this session while the block runs; `fields` are known anew from that moment on.

        Raises LeaseTaken when another holder works for longer than `wait` seconds.
        """
        async with lease(self._vault, self._ref, name, fields=fields, wait=wait) as held:
            self._stored |= {name: held.stored[name] for name in fields}
            yield held

    async def end_reason(self) -> str | None:
        """Return why the session ended, while that is remembered; None for one that lives."""
        return await self._vault.ends.reason(self._ref)

    async def _write(self, entries: Entries, over: tuple[str, int] | None, release: Lease | None) -> bool:
        lock = (release.name, release.mark) if release else None
        done, written = await self._vault.write(
            self._ref, entries, secret=self._secret, over=over, release=lock
        )
        if release:
            release.released = True
        self._stored |= written
        return done

    async def _need(self, names: Sequence[str]) -> None:
        unread = [name for name in names if name not in self._stored]
        if self._complete:
            self._stored |= dict.fromkeys(unread)
        elif unread:
            await self.refresh(unread)

    def _open(self, name: str) -> Field | None:
        return self._vault.open(self._ref, name, self._stored[name], secret=self._secret)
