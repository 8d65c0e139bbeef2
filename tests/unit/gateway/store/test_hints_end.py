"""Hints end when they are told to, also where redis-py loses the cancellation (L9)."""

import asyncio
from typing import Any

from gateway.store.hints import Hints, HintTimes
from tests.stage.patience import PATIENCE

QUICK = HintTimes(sign=0.01, first_pause=0.01, parting=0.01)


class Connection:
    """A connection whose first cancelled command counts as sent: `asyncio.wait_for` of Python 3.11 does so at times."""

    def __init__(self, sending: asyncio.Event) -> None:
        self._sending = sending
        self._is_lost = False

    async def connect(self) -> None:
        """Be connected already."""

    async def disconnect(self, *, nowait: bool) -> None:
        """Be closed at once."""

    async def send_command(self, *_command: str) -> None:
        """Subscribe at once."""

    async def send_packed_command(self, command: bytes) -> None:
        """Publish, for ever until that is cancelled."""
        assert b"PUBLISH" in command
        if not self._is_lost:
            self._sending.set()
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                self._is_lost = True

    async def read_response(self, **_options: Any) -> list[bytes]:
        """Answer to a command at once, and hear nothing."""
        if _options:
            await asyncio.sleep(PATIENCE)
        return [b"subscribe"]


class Redis:
    """Gives such connections."""

    def __init__(self) -> None:
        self.sending = asyncio.Event()

    async def new_connection(self) -> Connection:
        """Return another one."""
        return Connection(self.sending)


async def test_L9_hints_end_where_a_cancellation_is_lost() -> None:
    redis: Any = Redis()
    hints = Hints(redis, times=QUICK)
    hints.hear(lambda _name: None)
    await asyncio.wait_for(redis.sending.wait(), PATIENCE)

    await asyncio.wait_for(hints.aclose(), PATIENCE)
