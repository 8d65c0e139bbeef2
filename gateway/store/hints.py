"""Hints: that something of a session changed, told to every process by publish and subscribe.

Owns the two channels, what a hint says, and knowing whether hints arrive: each process hears a message of its own every
ten seconds, or takes itself for deaf. A hint says whose records to look at and nothing else, so whoever may publish can
make a process look, and can make nobody believe anything.
Never holds up a request, and never promises: a hint may be lost, late, doubled or forged. Whoever must not miss a
change looks at the records now and then.
"""

import asyncio
import contextvars
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import NoPermissionError, RedisError

from gateway.counts import Counts
from gateway.store.names import PREFIX, SessionRef, digest_of
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.packing import packed
from servicekit.cancellation import ended
from servicekit.logs import log_event

CHANNEL: Final = f"{PREFIX}:hints"
_NAME_CHARACTERS: Final = 22
_AT_ONCE: Final = 100
_MOST_WAITING: Final = 10_000

_FAULTS: Final = (RedisError, OSError, TimeoutError)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HintTimes:
    """When what happens; in seconds."""

    sign: float = 10
    """Between two messages of our own."""
    silence: float = 15
    """Without one of them we take ourselves for deaf: a hint that goes the same way would be lost, too."""
    first_pause: float = 0.25
    longest_pause: float = 5
    """Between two tries to connect, doubled each time and spread: all processes lose their server in one moment."""
    refused: float = 60
    """After Redis said that the user has no right: rights change rarely, and each refusal is noted there."""
    parting: float = 1
    """What a process that ends gives its last hints."""


HINT_TIMES: Final = HintTimes()


def hint_name(family: str) -> str:
    """Return what a hint calls a session, whatever its id: a hash of its family, which says and opens nothing."""
    return digest_of("hint", family)[:_NAME_CHARACTERS]


class Hints:
    """Gives hints, and hears those of all processes once `hear` was called; nothing here raises.

    Both have a connection of their own, so that no request waits for a place behind them.
    """

    def __init__(
        self,
        redis: GuardedRedis | GuardedCluster,
        *,
        times: HintTimes = HINT_TIMES,
        counts: Counts | None = None,
    ) -> None:
        self._redis = redis
        self._times = times
        self._counts = counts or Counts()
        self._own = f"{CHANNEL}:{secrets.token_urlsafe(12)}"
        self._waiting: set[str] = set()
        self._telling: asyncio.Task[None] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._parts: list[asyncio.Task[None]] = []
        self._speaker: Any = None
        self._speaking = asyncio.Lock()
        self._refused_until = 0.0
        self._last_noted = ""
        self.heard = False
        """Whether hints arrive, as far as we know."""
        self.gaps = 0
        """How often they ceased to: what was said meanwhile was not heard."""

    def give(self, ref: SessionRef) -> None:
        """Say, soon and beside whatever is under way, that something of a session changed."""
        if len(self._waiting) >= _MOST_WAITING or asyncio.get_running_loop().time() < self._refused_until:
            return
        self._waiting.add(hint_name(ref.family))
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell(), context=contextvars.Context())

    def hear(self, hint: Callable[[str], None]) -> None:
        """Call `hint` with each name that is told from now on; the first call counts."""
        if self._hearing is None:
            self._hearing = asyncio.create_task(self._hear(hint), context=contextvars.Context())

    async def aclose(self) -> None:
        """Give the hints that wait, hear no more, and close both connections."""
        if self._telling:
            await asyncio.wait([self._telling], timeout=self._times.parting)
        # Its parts as well: a group of tasks cancels each of them once, and prefers a fault that comes in that moment.
        await ended(self._telling, self._hearing, *self._parts, again=self._times.first_pause)
        await self._hang_up()

    # Telling

    async def _tell(self) -> None:
        for pause in (0, self._times.first_pause, self._times.longest_pause, None):
            try:
                while self._waiting:
                    names = [self._waiting.pop() for _ in range(min(_AT_ONCE, len(self._waiting)))]
                    try:
                        await self._publish(CHANNEL, " ".join(names))
                    except _FAULTS:
                        self._waiting.update(names)
                        raise
            except NoPermissionError:
                self._refused()
                break
            except _FAULTS:
                if pause is None:
                    break
                await asyncio.sleep(pause)
            else:
                return
        self._waiting.clear()

    async def _publish(self, channel: str, text: str) -> None:
        async with self._speaking:
            try:
                if self._speaker is None:
                    self._speaker = await self._redis.new_connection()
                await self._speaker.connect()
                await self._speaker.send_packed_command(packed("PUBLISH", channel, text))
                await self._speaker.read_response()
            except NoPermissionError:
                raise  # an answer like any other
            except BaseException:
                await self._hang_up()  # what comes next by this connection would be the answer to this
                raise

    async def _hang_up(self) -> None:
        if self._speaker is not None:
            speaker, self._speaker = self._speaker, None
            await speaker.disconnect(nowait=True)

    # Hearing

    async def _hear(self, hint: Callable[[str], None]) -> None:
        pause = self._times.first_pause
        while True:
            gaps = self.gaps
            try:
                async with asyncio.TaskGroup() as both:
                    self._parts = [
                        both.create_task(part) for part in (self._listen(hint), self._give_signs())
                    ]
            except* NoPermissionError:
                self._refused()
            except* _FAULTS as faults:
                self._turn_deaf("not-connected", type(faults.exceptions[0]).__name__)
            async with self._speaking:
                await self._hang_up()  # it may lead to a server that is the master no more
            refused = self._refused_until - asyncio.get_running_loop().time()
            if refused > 0 or gaps != self.gaps:
                pause = self._times.first_pause
            spread = pause * random.uniform(0.2, 1)  # noqa: S311 - nothing is secret about it
            await asyncio.sleep(max(refused, spread))
            pause = min(2 * pause, self._times.longest_pause)

    async def _listen(self, hint: Callable[[str], None]) -> None:
        now = asyncio.get_running_loop().time
        connection: Any = await self._redis.new_connection()
        try:
            await connection.connect()
            await connection.send_command("SUBSCRIBE", CHANNEL, self._own)
            deaf_at = now() + self._times.silence
            while (left := deaf_at - now()) > 0:
                answer = await connection.read_response(timeout=left, disable_decoding=True)
                if not isinstance(answer, list) or answer[0] != b"message":
                    continue
                if answer[1] == self._own.encode():
                    deaf_at = now() + self._times.silence
                    self._turn_hearing()
                    continue
                for name in answer[2].decode(errors="replace").split()[:_AT_ONCE]:
                    hint(name)
        finally:
            await connection.disconnect(nowait=True)
        raise TimeoutError

    async def _give_signs(self) -> None:
        # The first ones often: until one is heard, everybody looks for himself.
        for pause in (0.05, 0.2, 1):
            await asyncio.sleep(pause)
            if not self.heard:
                await self._publish(self._own, "")
        while True:
            await asyncio.sleep(self._times.sign)
            await self._publish(self._own, "")

    def _refused(self) -> None:
        self._refused_until = asyncio.get_running_loop().time() + self._times.refused
        self._turn_deaf("not-permitted", "")

    def _turn_hearing(self) -> None:
        if not self.heard:
            self.heard = True
            self._note("pushed", logging.INFO, "events-pushed")

    def _turn_deaf(self, how: str, fault: str) -> None:
        if self.heard:
            self.heard = False
            self.gaps += 1
        self._note(how, logging.WARNING, "events-polled", reason=how, error=fault)

    def _note(self, how: str, level: int, event: str, *, reason: str = "", error: str = "") -> None:
        """Log a change, and nothing that is as it was."""
        if how != self._last_noted:
            self._last_noted = how
            self._counts.events_pushed(is_pushed=self.heard)
            log_event(_log, level, event, reason=reason, error=error)
