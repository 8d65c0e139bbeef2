"""Listens to `GET /api/session/events` as a browser does, over a real socket. Replaces nothing of the product."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from gateway.app_keys import EVENT_STREAMS, SESSIONS, VAULT
from gateway.session.event_streams import EventStreams, StreamLimits
from gateway.session.sessions import LiveSession
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.world import World

PATH: Final = "/api/session/events"
QUICK: Final = StreamLimits(look=0.05, rarely=0.05)
LONG: Final = StreamLimits(look=0.05, rarely=0.05, life=100_000)


@dataclass(frozen=True)
class ReceivedEvent:
    """One block of a stream: an event, an id, a heartbeat."""

    event: str
    data: Any
    id: str | None
    comment: bool = False
    retry: str = ""


class Listener:
    """Reads a stream as the HTML standard says, block by block."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> ReceivedEvent | None:
        """Return the next block; None at the end of the stream."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE):
            while line := await self.response.content.readline():
                if line == b"\n":
                    return ReceivedEvent(
                        fields.get("event", ""),
                        json.loads(fields["data"]) if "data" in fields else None,
                        fields.get("id"),
                        "" in fields,
                        fields.get("retry", ""),
                    )
                name, _, value = line.decode().rstrip("\n").partition(":")
                fields[name] = value.removeprefix(" ")
        return None

    async def event(self) -> ReceivedEvent:
        """Return the next event, past ids and heartbeats."""
        while event := await self.next():
            if event.event:
                return event
        raise AssertionError("the stream ended")

    async def rest(self) -> list[ReceivedEvent]:
        """Return all that comes until the stream ends."""
        events = []
        while event := await self.next():
            events.append(event)
        return events


@asynccontextmanager
async def listening(person: OtherFrontEnd, **headers: str) -> AsyncIterator[Listener]:
    """Listen as EventSource does, from a page of ours."""
    sent = {"Sec-Fetch-Site": "same-origin", "Accept": "text/event-stream"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with person.session.get(person.gateway_url + PATH, headers=sent) as response:
        assert response.status == 200, await response.text()
        yield Listener(response)


async def gone(world: World) -> None:
    """Wait until no stream is left: a page that was closed is noticed at the next look."""
    for _ in range(PATIENCE * 100):
        if not world.app[EVENT_STREAMS].count():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a stream is left")


async def pushed(world: World) -> None:
    """Wait until this gateway hears what is pushed."""
    hints = world.app[VAULT].hints
    assert hints is not None
    for _ in range(PATIENCE * 100):
        if hints.heard:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing is pushed")


def streams_of(world: World, *, looks: int) -> EventStreams:
    """Return streams that fail after so many looks at what a session may do."""
    left = iter([{"profile.edit": "step-up"}] * looks)

    async def access(_session: LiveSession) -> dict[str, str]:
        return next(left)

    return EventStreams(
        world.app[SESSIONS],
        world.app[VAULT],
        access,
        now=time.time,
        monotonic=time.monotonic,
        warning=1,
        redis_seconds=5,
        limits=QUICK,
    )
