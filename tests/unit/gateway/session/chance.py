"""Records of a session, and what may happen to them by chance, for the tests of what is kept of a session."""

import asyncio
import random
from dataclasses import dataclass

from gateway.session.records import Entries, RecordKind
from gateway.session.sessions import LiveSession, SessionStore
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import NOW

LATER = NOW + 300
Place = tuple[SessionStore, LiveSession]
"""A request: whose sessions it has, and its own."""


@dataclass(frozen=True)
class Note:
    """Something that is written as a record."""

    text: str


NOTE = RecordKind("note", Note)
TOKEN = RecordKind("token", str)
WAITING = RecordKind("parked", str, most=2)
FIELDS = ("note", "token:a", "token_version", "parked:a", "parked:b", "parked:c", "never")


class Dice:
    """Lets things happen to a session by chance, the same for each seed."""

    def __init__(self, seed: int, clock: MovableClock) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - nothing is secret about it
        self._clock = clock

    def entries(self) -> Entries:
        """Return something to write or to remove."""
        chance = self._chance
        ends, text = self._clock.now + chance.choice([0.5, 40, 200]), str(chance.random())
        key = chance.choice("abc")
        name, entry = chance.choice(
            [
                ("note", NOTE.entry(Note(text), ends)),
                ("token:a", TOKEN.entry(text, ends, "a")),
                *[(f"parked:{key}", WAITING.entry(text, ends, key))] * 2,
            ]
        )
        return entry if chance.random() < 0.8 else {name: None}

    async def step(self, store: SessionStore, live: LiveSession) -> None:
        """Let a request of a session do something."""
        what, records = self._chance.randrange(5), live.records
        if what == 0:
            version = await records.version(TOKEN) + self._chance.choice([0, 0, 1])
            await records.swap(TOKEN, TOKEN.entry(str(version), LATER, "a"), version=version)
        elif what == 1:
            await store.slide(live)
        elif what == 2:
            async with records.lease("work", fields=["note"]) as lease:
                await records.put(self.entries(), release=lease)
        else:
            await records.put(self.entries())

    async def round(self, here: Place, elsewhere: Place) -> None:
        """Let some time pass, and one or two requests come, here or elsewhere or both."""
        self._clock.now += self._chance.choice([0, 0.1, 1, 25])
        both = [(here,), (here,), (here, here), (here, elsewhere), (elsewhere,)]
        await asyncio.gather(*(self.step(*one) for one in self._chance.choice(both)))
