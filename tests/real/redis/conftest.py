"""Worlds on Redis servers of their own: each test may break them as it likes."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.real.redis.servers import RedisServer, Servers
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
PROMISED_SECONDS = 2.0
BACK_SECONDS = 5.0
SIGN_IN = "/auth/sign-in?return_to=/edit"
STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
UNAVAILABLE = "session-store-unavailable"


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Collect what nobody holds any more, so that a connection that was not closed is blamed on its own test file."""
    yield
    gc.collect()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Give a starter of Redis servers."""
    started = Servers(tmp_path / "servers")
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def one(servers: Servers) -> RedisServer:
    """Give one running server."""
    return servers.one()


async def promised(answer: Awaitable[Answer]) -> Answer:
    """Await an answer, whatever it says, within the time that every request is promised."""
    began = time.monotonic()
    result = await answer
    assert time.monotonic() - began < PROMISED_SECONDS
    assert result.status != 500, result.text
    return result


async def is_kept(person: OtherFrontEnd, cookie: str) -> None:
    """Assert what any fault leaves alone: the cookie, and the pages."""
    assert person.cookie() == cookie
    live = await promised(person.navigate("/health/live"))
    assert live.status == 200
    assert (await promised(person.navigate("/"))).status == 200


async def refused_honestly(answer: Awaitable[Answer]) -> Answer:
    """Assert that an answer blames Redis and nobody else, soon, and touches no cookie."""
    result = await promised(answer)
    assert (result.status, result.slug) == (503, "session-store-unavailable")
    assert int(result.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in result.headers
    return result


async def sent_to_problem(answer: Awaitable[Answer], slug: str) -> None:
    """Assert that a navigation ends on the page about a problem, soon, and touches no cookie."""
    result = await promised(answer)
    assert result.status == 303, result.text
    assert result.headers["Location"].startswith(f"/problem?type={slug}&"), result.headers["Location"]
    assert "Set-Cookie" not in result.headers


async def back(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Repeat a request until Redis no longer stands in its way; that must come soon."""
    deadline = time.monotonic() + BACK_SECONDS
    while (answer := await promised(ask())).status == 503:
        assert time.monotonic() < deadline, answer.text
        await asyncio.sleep(0.05)
    return answer


class Looks:
    """What a person is answered who looks at the profile again and again, by status."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._seen_more = asyncio.Condition()

    async def add(self, status: int) -> None:
        """Note an answer."""
        async with self._seen_more:
            self.seen.append(status)
            self._seen_more.notify_all()

    async def more(self, count: int = 2) -> None:
        """Wait for so many more answers; the first of them may be to a question of before."""
        wanted = len(self.seen) + count
        await self._until(lambda: len(self.seen) >= wanted)

    async def until(self, status: int) -> None:
        """Wait for an answer with a status."""
        before = len(self.seen)
        await self._until(lambda: status in self.seen[before:])

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE), self._seen_more:
            await self._seen_more.wait_for(holds)


@asynccontextmanager
async def in_use(person: OtherFrontEnd) -> AsyncIterator[Looks]:
    """Let a person look at the profile again and again while the block runs."""
    looks = Looks()

    async def look() -> None:
        while True:
            await looks.add((await promised(person.call("GET", "/api/profile"))).status)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    try:
        await looks.more(1)
        yield looks
    finally:
        looking.cancel()
        failure = (await asyncio.gather(looking, return_exceptions=True))[0]
        assert isinstance(failure, asyncio.CancelledError), failure
