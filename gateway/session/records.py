"""The records of a session: what it holds beside its person, read once and written in one step.

Owns a record's name and form, whether it survives a step-up, and what of it this request knows already.
Never knows what a record is for; each kind is declared where it is used.
"""

import functools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, is_dataclass
from typing import Any, Final, Generic, TypeVar

from gateway.session.opened_records import OpenedRecords
from gateway.store.fields import Field, end_of, number_of
from gateway.store.leases import WAIT_SECONDS, Lease, lease
from gateway.store.names import SessionRef
from gateway.store.stored_form import read_record, write_record
from gateway.store.successors import remove_from_successors
from gateway.store.vault import WRITES, Stored, Vault

T = TypeVar("T")

_IMMUTABLE: Final = frozenset({bytes, int, str})


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

    @property
    def is_immutable(self) -> bool:
        """Whether what is read of it can be given to several requests: nobody can change it."""
        return self.type in _IMMUTABLE or (
            is_dataclass(self.type) and bool(self.type.__dataclass_params__.frozen)  # type: ignore[attr-defined]  # dataclasses' own
        )

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
    when it is asked for. Whatever is written is known here as well. `opened` is shared with other requests that found
    the session as it was then. Everything raises SessionStoreUnavailable when Redis fails.
    """

    __slots__ = ("_complete", "_opened", "_ref", "_secret", "_stored", "_vault")

    def __init__(
        self,
        vault: Vault,
        ref: SessionRef,
        secret: bytes,
        stored: Stored,
        *,
        complete: bool = False,
        opened: OpenedRecords | None = None,
    ) -> None:
        self._vault = vault
        self._ref = ref
        self._secret = secret
        # Never changed in its place: others may share it.
        self._stored = stored
        self._complete = complete
        self._opened = opened or OpenedRecords(stored)

    def __repr__(self) -> str:
        return f"SessionRecords({self._ref.short}: {', '.join(sorted(self._stored))})"

    async def get(self, kind: RecordKind[T], key: str = "") -> T | None:
        """Return a record; None where there is none, it has ended or cannot be opened."""
        name = kind.field(key)
        if name not in self._stored:
            await self._need([name])
        stored = self._stored[name]
        if stored is None:
            return None
        opened, own = self._opened, None
        is_shared = stored is opened.stored.get(name)
        if is_shared:
            now = self._vault.now()
            if (known := opened.value(name, now)) is not None:
                value: T = known
                return value
            own = opened.own(name, now)
        field = own or self._open(name)
        if field is None:
            return None
        read = kind.read(field.value)
        if is_shared and kind.is_immutable:
            opened.keep_value(name, field, read)
        return read

    async def get_all(self, kind: RecordKind[T], keys: Iterable[str]) -> dict[str, T]:
        """Return the records of a kind that are there, by key; what was not read yet is read in one step."""
        names = _names_of(kind.name, tuple(keys))
        await self._need(list(names.values()))
        return {
            key: value
            for key, name in names.items()
            if self._stored[name] is not None and (value := await self.get(kind, key)) is not None
        }

    def result(self, name: str) -> Any:
        """Return what a request before has kept as following from the records; None where they are others since."""
        return self._opened.result(name, self._vault.now()) if self._is_as_opened else None

    def keep_result(self, name: str, result: Any, until: float) -> None:
        """Keep what follows from the records as they were read, and from nothing else until then (s since 1970)."""
        if self._is_as_opened:
            self._opened.keep_result(name, result, until)

    @property
    def _is_as_opened(self) -> bool:
        return self._stored is self._opened.stored

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
        self._know(await self._vault.read(self._ref, names))

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
        self,
        name: str,
        *,
        fields: Sequence[str] = (),
        wait: float = WAIT_SECONDS,
        turn: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncIterator[Lease]:
        """Hold the lock `name` of this session while the block runs; `fields` are known anew from that moment on.

        Each try to take it waits for its `turn`, where there are turns.
        Raises LeaseTaken when another holder works for longer than `wait` seconds.
        """
        async with lease(self._vault, self._ref, name, fields=fields, wait=wait, turn=turn) as held:
            self._know({name: held.stored[name] for name in fields})
            yield held

    async def end_reason(self) -> str | None:
        """Return why the session ended, while that is remembered; None for one that lives."""
        return await self._vault.ends.reason(self._ref)

    async def _write(self, entries: Entries, over: tuple[str, int] | None, release: Lease | None) -> bool:
        lock = (release.name, release.mark) if release else None
        opened = self._opened
        opened.is_current = False  # until it is known what became of this
        written = await self._vault.write(self._ref, entries, secret=self._secret, over=over, release=lock)
        if release:
            release.released = True
        if over and written.is_whole:
            written.stored[over[0]] = str(over[1] + 1).encode()
        opened.carry_over(written, entries)
        self._know(written.stored)
        return written.is_whole

    def _know(self, stored: Stored) -> None:
        self._stored = {**self._stored, **stored}

    async def _need(self, names: Sequence[str]) -> None:
        unread = [name for name in names if name not in self._stored]
        if self._complete:
            self._know(dict.fromkeys(unread))
        elif unread:
            await self.refresh(unread)

    def _open(self, name: str) -> Field | None:
        return self._vault.open(self._ref, name, self._stored[name], secret=self._secret)


# The same keys are asked for at every request.
@functools.lru_cache(maxsize=64)
def _names_of(kind: str, keys: tuple[str, ...]) -> Mapping[str, str]:
    return {key: f"{kind}:{key}" if key else kind for key in keys}
