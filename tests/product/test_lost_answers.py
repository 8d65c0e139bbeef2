"""What becomes of an edit, and of where it waited, when the resource API answers otherwise than hoped (R18)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from aiohttp import web

from tests.stage.fault_proxy import FaultProxy, Faults
from tests.stage.other_front_end import ADA, Answer, OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.world import World, served

MakeWorld = Callable[..., Awaitable[World]]

CHALLENGE: Final = 'Bearer error="insufficient_claims", claims="e30="'


@dataclass
class StandIn:
    """Stands where the resource API is, writes nothing, and answers as told; `None` cuts the connection."""

    url: str
    status: int | None = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    asked: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    waits: asyncio.Event | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take a request to its end, then do as told."""
        await request.read()
        self.asked += 1
        self.reached.set()
        if self.waits:
            await self.waits.wait()
        if self.status is None:
            assert request.transport is not None
            request.transport.abort()
            await asyncio.sleep(0)
        return web.json_response(self.body, status=self.status or 500, headers=self.headers)

    def say(self, **changed: str) -> None:
        """Answer with the profile from here on, so changed."""
        self.status, self.headers, self.body = 200, {}, {**self.profile, **changed}

    def problem(self, status: int | None, slug: str, **members: object) -> None:
        """Answer with a problem from here on."""
        self.status, self.body = status, {"type": f"/problems/{slug}", "status": status, **members}


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    """Run it while the block runs."""
    port = free_port()
    api = StandIn(f"http://127.0.0.1:{port}")
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.answer)
    async with served(app, port):
        yield api


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    """Give the stand-in."""
    async with stand_in() as running:
        yield running


@pytest.fixture
async def ada(make_world: MakeWorld, api: StandIn) -> OtherFrontEnd:
    """Give Ada, signed in, with an API that answers as told."""
    return await (await make_world(RESOURCE_API_URL=api.url)).signed_in()


def challenge(api: StandIn) -> None:
    """Let the API ask for a confirmation from here on."""
    api.problem(401, "insufficient-claims")
    api.headers = {"WWW-Authenticate": CHALLENGE}


async def parked(ada: OtherFrontEnd, api: StandIn) -> str:
    """Let an edit wait for its person, who has confirmed; return its address."""
    api.profile = (await ada.call("GET", "/api/profile")).body
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    assert refused.slug == "step-up-required"
    await ada.step_up(f"{refused.body['redirect']}&return_to=/check")
    return f"/api/parked-edits/{refused.body['parked_edit']['id']}"


ApiAnswer = tuple[int | None, str, dict[str, str]]
OUTCOMES: Final[list[tuple[ApiAnswer, str, bool]]] = [
    ((502, "resource-unavailable", {"outcome": "not-saved"}), "resource-unavailable", True),
    ((503, "authority-unavailable", {}), "authority-unavailable", True),
    ((503, "overloaded", {}), "overloaded", True),
    ((422, "invalid-profile-patch", {}), "invalid-profile-patch", True),
    ((403, "access-blocked", {}), "access-blocked", True),
    ((500, "misconfigured", {}), "misconfigured", True),
    ((502, "resource-unavailable", {"outcome": "unknown"}), "resource-unavailable", False),
    ((500, "internal-error", {}), "resource-unavailable", False),
    ((None, "cut", {}), "resource-unavailable", False),
]


@pytest.mark.parametrize("answer_of_the_api, slug, waits", OUTCOMES, ids=str)
async def test_R18_a_parked_edit_waits_on_unless_it_was_saved_or_nobody_knows(
    ada: OtherFrontEnd, api: StandIn, answer_of_the_api: ApiAnswer, slug: str, *, waits: bool
) -> None:
    path = await parked(ada, api)
    status, own_slug, members = answer_of_the_api
    api.problem(status, own_slug, **members)

    answer = await ada.call("POST", path)

    assert answer.slug == slug
    if slug == "resource-unavailable":
        assert answer.body["outcome"] == ("not-saved" if waits else "unknown")
    assert api.asked == 1
    assert (await ada.call("GET", path)).status == (200 if waits else 404)


async def test_R18_an_api_that_is_not_there_saved_nothing_and_the_edit_waits_on(
    make_world: MakeWorld,
) -> None:
    async with AsyncExitStack() as running:
        api = await running.enter_async_context(stand_in())
        ada = await (await make_world(RESOURCE_API_URL=api.url)).signed_in()
        path = await parked(ada, api)
    answer = await ada.call("POST", path)

    assert (answer.slug, answer.body["outcome"]) == ("resource-unavailable", "not-saved")
    assert (await ada.call("GET", path)).status == 200


async def test_a_parked_edit_that_is_being_applied_cannot_be_dropped(
    ada: OtherFrontEnd, api: StandIn
) -> None:
    path = await parked(ada, api)
    api.say(city="Turin")
    api.waits = asyncio.Event()

    applying = asyncio.create_task(ada.call("POST", path))
    await api.reached.wait()
    dropping = asyncio.create_task(ada.call("DELETE", path))
    await asyncio.sleep(0.2)  # were it dropped, it would be by now
    api.waits.set()

    assert (await applying).status == 200
    assert (await dropping).slug == "not-found"


@pytest.mark.parametrize("outcome", ["not-saved", "unknown"])
async def test_R18_a_key_remembers_no_failure_and_may_be_tried_again(
    ada: OtherFrontEnd, api: StandIn, outcome: str
) -> None:
    await parked(ada, api)
    key = {"Idempotency-Key": "one"}
    api.problem(502, "resource-unavailable", outcome=outcome)
    first = await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)
    api.say(city="Turin")

    again = await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)
    third = await ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=key)

    assert (first.slug, first.body["outcome"]) == ("resource-unavailable", outcome)
    assert (again.status, again.body["city"]) == (200, "Turin")
    assert (third.status, third.body, api.asked) == (200, again.body, 2)


@pytest.fixture
async def behind_proxy(make_world: MakeWorld) -> AsyncIterator[tuple[World, FaultProxy]]:
    """Give a world with a proxy before the real resource API."""
    async with FaultProxy.before("127.0.0.1", 1) as proxy:
        world = await make_world(RESOURCE_API_URL=f"http://127.0.0.1:{proxy.port}")
        proxy.lead_to(int(world.api_url.rpartition(":")[2]))
        yield world, proxy


async def test_R18_an_edit_whose_answer_is_lost_on_the_last_yards_is_looked_up(
    behind_proxy: tuple[World, FaultProxy],
) -> None:
    world, proxy = behind_proxy
    ada = await world.confirmed()
    proxy.faults = Faults(cut_after=0)

    saved = await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    assert (saved.status, saved.body["city"]) == (200, "Turin")
    assert (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"] == "Turin"
    assert await world.asked("graph.patch_me") == 1


async def test_R18_what_cannot_be_looked_up_is_unknown(behind_proxy: tuple[World, FaultProxy]) -> None:
    world, proxy = behind_proxy
    ada = await world.confirmed()
    await world.admin("PUT", "/settings", {"graph_lag_seconds": 3600})
    proxy.faults = Faults(cut_after=0)

    lagging = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    await world.admin("PUT", "/faults/graph.get_me", {"status": 500})
    blind = await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    for answer in (lagging, blind):
        assert outcome_of(answer) == (502, "resource-unavailable", "unknown")


def outcome_of(answer: Answer) -> tuple[int, str, str]:
    """Return what an answer says of a write."""
    return answer.status, answer.slug, answer.body["outcome"]
