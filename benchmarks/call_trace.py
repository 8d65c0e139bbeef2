"""What a request costs in code: files and functions that it enters, moves between files, and what Redis is asked.

Runs the product; the gateway lives in this process, on the port and with the settings of the one that it replaces, so
that what Python enters belongs to the gateway alone. Every request is made once before by somebody else, so that
nothing is counted that only the first of all requests does.

What a file, a function, a call and a move are: benchmarks/function_calls.py; a command and a round trip:
tests/stage/redis_traffic.py.

    python -m benchmarks.call_trace [--json]
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from aiohttp import web

from benchmarks.function_calls import Calls, Cost
from benchmarks.running import product
from devstack.stack import Stack
from gateway.app import create_app
from gateway.settings import PREFIX, Settings
from servicekit.settings_faults import load_settings
from tests.stage.other_front_end import ADA, GRACE, OtherFrontEnd
from tests.stage.redis_traffic import CountedRedis
from tests.stage.visitor import Page

MANY: Final = 12
STORY: Final = "the story: refused, confirmed, applied"


class Meter:
    """Counts what the gateway does for named requests, which may consist of several."""

    def __init__(self, calls: Calls, redis: CountedRedis) -> None:
        self._calls = calls
        self._redis = redis
        self.costs: dict[str, Cost] = {}

    def list(self, *names: str) -> None:
        """Say in which order things are shown, where that is not the order in which they are first counted."""
        for name in names:
            self.costs.setdefault(name, Cost())

    @asynccontextmanager
    async def counting(self, *names: str) -> AsyncIterator[None]:
        """Add what happens while the block runs to each of `names`."""
        costs = [self.costs.setdefault(name, Cost()) for name in names]
        async with self._redis.counting() as traffic:
            self._calls.note(*costs)
            try:
                yield
            finally:
                self._calls.note()
        for cost in costs:
            cost.commands += traffic.commands
            cost.round_trips += traffic.round_trips


@asynccontextmanager
async def gateway_here(stack: Stack, redis_url: str) -> AsyncIterator[None]:
    """Serve the gateway in this process, in the place of the stack's own."""
    await asyncio.to_thread(stack.stop, "gateway")
    environment = {**stack.parts["gateway"].child.program.environment, f"{PREFIX}REDIS_URL": redis_url}
    settings = load_settings(Settings, environment, PREFIX)
    runner = web.AppRunner(create_app(settings), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        yield
    finally:
        await runner.cleanup()


class Scenario:
    """One person who does everything that is counted, step by step."""

    def __init__(self, person: OtherFrontEnd, who: tuple[str, str], meter: Meter) -> None:
        self._person = person
        self._who = who
        self._meter = meter

    async def play(self, others: Callable[[], Awaitable[OtherFrontEnd]]) -> None:
        """Do it all; `others` gives further browsers of the same person."""
        await self._look("GET /api/session, nobody", "/api/session")
        await self._go("sign-in", "/auth/sign-in?return_to=/edit")
        await self._look("GET /api/session", "/api/session")
        await self._look("GET /api/profile, fresh token", "/api/profile")
        await self._look("GET /api/sessions, 1 session", "/api/sessions")
        await self._tell_the_story()
        await self._edit("PATCH /api/profile", {"city": "Turin"})
        await self._edit(
            "PATCH /api/profile, Idempotency-Key", {"city": "Rome"}, **{"Idempotency-Key": "a-key"}
        )
        for _ in range(MANY - 1):
            await (await others()).sign_in(self._who)
        await self._look(f"GET /api/sessions, {MANY} sessions", "/api/sessions")

    async def _look(self, name: str, path: str) -> None:
        async with self._meter.counting(name):
            answer = await self._person.call("GET", path)
        assert answer.status == 200, answer.text

    async def _edit(self, name: str, changes: dict[str, str], **headers: str) -> None:
        async with self._meter.counting(name):
            answer = await self._person.call("PATCH", "/api/profile", changes, headers=headers)
        assert answer.status == 200, answer.text

    async def _go(self, name: str, path: str, *more: str) -> None:
        """Leave for the authority and come back."""
        parts, whole = (f"{name}: start", f"{name}: callback"), (f"{name}: start and callback", *more)
        self._meter.list(*parts, *whole)
        async with self._meter.counting(parts[0], *whole):
            answer = await self._person.navigate(path)
        page = await self._answered(await self._person.visitor.open(answer.headers["Location"]))
        async with self._meter.counting(parts[1], *whole):
            answer = await self._person.navigate(page.form.action, page.form.inputs)
        assert answer.headers["Location"] == "/edit", answer.headers["Location"]

    async def _answered(self, page: Page) -> Page:
        """Give the authority what it asks for."""
        visitor = self._person.visitor
        if "password" in page.form.inputs:
            page = await visitor.submit(page, email=self._who[0], password=self._who[1])
        if "code" in page.form.inputs and "state" not in page.form.inputs:
            page = await visitor.submit(page, code=await visitor.newest_code(self._who[0]))
        return page

    async def _tell_the_story(self) -> None:
        person, meter = self._person, self._meter
        async with meter.counting("PATCH /api/profile, refused (403)", STORY):
            refused = await person.call("PATCH", "/api/profile", {"city": "Paris"})
        assert refused.status == 403, refused.text
        await self._go("step-up", f"{refused.body['redirect']}&return_to=/edit", STORY)
        path = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
        for method in ("GET", "POST"):
            async with meter.counting(f"{method} /api/parked-edits/{{id}}", STORY):
                answer = await person.call(method, path)
            assert answer.status == 200, answer.text


async def measure(stack: Stack) -> dict[str, Cost]:
    """Play the scenario twice, and return what the second time cost, by name."""
    async with AsyncExitStack() as everything:
        redis = await everything.enter_async_context(CountedRedis.before(stack.redis_url))
        calls = Calls()
        calls.watch()
        await everything.enter_async_context(gateway_here(stack, redis.url))

        async def browser() -> OtherFrontEnd:
            opened = OtherFrontEnd.open(stack.gateway_url, stack.tenant_url)
            return await everything.enter_async_context(opened)

        costs: dict[str, Cost] = {}
        for who in (GRACE, ADA):
            meter = Meter(calls, redis)
            await Scenario(await browser(), who, meter).play(browser)
            costs = meter.costs
        return costs


def drawn(costs: dict[str, Cost]) -> str:
    """Return a table."""
    rows = [(name, *map(str, cost.figures().values())) for name, cost in costs.items()]
    head = ("", "files", "functions", "calls", "moves", "commands", "round trips")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in (head, *rows)
    )


def main() -> None:
    """Run the product, measure, and stop it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="write figures, files and commands as JSON")
    as_json = parser.parse_args().json
    with product() as stack:
        costs = asyncio.run(measure(stack))
    if as_json:
        document = {
            name: {**cost.figures(), "entered": list(cost.files), "asked": cost.commands}
            for name, cost in costs.items()
        }
        print(json.dumps(document, indent=2))
    else:
        print(drawn(costs))


if __name__ == "__main__":
    main()
