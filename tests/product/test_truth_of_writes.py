"""L5: what is told of a write is true, whatever Graph does with it, and whatever stands before the resource API.

The table is `tests/stage/truth_of_writes.json`: what happens to the write, what is answered to whoever called the
gateway, and what the person reads, which `tests/unit/spa/problem-words.test.mjs` asserts of the same rows.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from devstack.embedded_valkey import EmbeddedValkey
from local_tenant.signing import SigningKey
from resource_api.patience import Patience
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.world import World, served, worlds
from tests.unit.resource_api.graph_double import Act, GraphDouble, graph_double

Row = dict[str, Any]

ROWS: Final[list[Row]] = json.loads(
    (Path(__file__).parents[1] / "stage/truth_of_writes.json").read_text("utf-8")
)
# As in production, but for the waits that a test would have to sit through.
QUICK: Final = Patience(call=1, pause=1, settle=(0.02, 0.03))
_PASSED_ON: Final = frozenset({"Content-Type", "Retry-After", "WWW-Authenticate"})
KEPT: Final = {"Idempotency-Key": "the-same-key"}


@dataclass
class Between:
    """Stands between the gateway and the resource API, passes a PATCH on or not, and answers in its place."""

    port: int
    api_url: str = ""
    passes: bool = True
    act: Act | None = None
    """What is answered; None for what the API answered."""
    shown: dict[str, Any] | None = None

    async def answer(self, request: web.Request) -> web.Response:
        """Pass the request on if told so, and answer."""
        body, status, answered, told = await request.read(), 0, b"", dict[str, str]()
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        if self.passes:
            async with (
                aiohttp.ClientSession() as session,
                session.patch(f"{self.api_url}{request.path}", data=body, headers=headers) as response,
            ):
                status, answered = response.status, await response.read()
                told = {name: text for name, text in response.headers.items() if name in _PASSED_ON}
        if self.act is None:
            return web.Response(status=status, body=answered, headers=told)
        if not self.act.answers:
            assert request.transport is not None
            request.transport.abort()
        text = self.act.text if self.shown is None else json.dumps(self.shown)
        return web.Response(status=self.act.status, text=text, headers=self.act.headers)


@dataclass
class Scene:
    """Ada, confirmed, before a Graph and a proxy that do as they are told."""

    ada: OtherFrontEnd
    graph: GraphDouble
    between: Between
    running: AsyncExitStack

    async def plays(self, row: Row) -> None:
        """Let happen what a row says."""
        acts = [_act(dict(act)) for act in row["acts"]]
        if row["at"] == "graph":
            self.graph.patches = acts
        elif row["passes"] is None:
            await self.running.aclose()
        else:
            self.between.passes, self.between.act = row["passes"], acts[0]
            shows = acts[0].shows
            self.between.shown = None if shows is None else {**self.graph.profile, **shows}
        self.graph.lag, self.graph.reads = row.get("lag", 0), list(row.get("looks", []))
        self.graph.glimpses = list(row.get("glimpses", []))


def _act(members: dict[str, Any]) -> Act:
    retry_after = members.pop("retry_after", None)
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Act(only=frozenset(members.pop("only", ())), headers=headers, **members)


# One world, on the module's event loop, serves all rows: making one for each took most of their time.
pytestmark = pytest.mark.asyncio(loop_scope="module")
Stage = tuple[World, GraphDouble, Between]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    valkey_server: EmbeddedValkey, signing_keys: Callable[[], SigningKey]
) -> AsyncIterator[Stage]:
    """Give what all rows share."""
    async with graph_double() as graph, worlds(valkey_server.url, signing_keys) as make:
        between = Between(free_port())
        api = f"http://127.0.0.1:{between.port}"
        world = await make(
            graph=graph.url, JOURNEYS_PER_MINUTE="100000", RESOURCE_API_URL=api, api_patience=QUICK
        )
        between.api_url = world.api_url
        yield world, graph, between


@pytest_asyncio.fixture(loop_scope="module")
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    """Give the scene of a row, with everything as it was."""
    world, graph, between = stage
    await world.begin_again()
    ada = await world.confirmed()
    user = (await ada.call("GET", "/api/session")).body["user"]
    fresh = GraphDouble(graph.url)
    for member in fields(fresh):
        setattr(graph, member.name, getattr(fresh, member.name))
    graph.profile |= {"id": user["id"], "displayName": "Ada Lovelace", "city": "London"}
    between.passes, between.act, between.shown = True, None, None
    app = web.Application()
    app.router.add_patch("/profile", between.answer)
    async with AsyncExitStack() as running:
        await running.enter_async_context(served(app, between.port))
        yield Scene(ada, graph, between, running)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['at']}: {row['id']}")
async def test_L5_what_is_told_of_a_write_is_true(scene: Scene, row: Row) -> None:
    changes, etag_before = row.get("changes", {"city": "Turin"}), scene.graph.profile
    await scene.plays(row)

    told = await scene.ada.call("PATCH", "/api/profile", changes, headers=KEPT)

    status, slug, outcome = row["answer"]
    assert (told.status, None if status == 200 else told.slug, told.body.get("outcome")) == (
        status,
        slug,
        outcome,
    )
    held = all(scene.graph.profile[name] == value for name, value in changes.items())
    if status == 200:
        assert held
        assert changes.items() <= told.body.items()
    elif outcome != "unknown":
        assert scene.graph.profile == etag_before, "nothing was written"
    if "retry_after" in row:
        assert told.headers["Retry-After"] == row["retry_after"]


UNKNOWN: Final = [row for row in ROWS if row["answer"][2] == "unknown"]


@pytest.mark.parametrize("row", UNKNOWN, ids=lambda row: f"{row['at']}: {row['id']}")
async def test_L5_after_unknown_the_same_key_finds_out_and_what_is_there_is_not_written_again(
    scene: Scene, row: Row
) -> None:
    changes = row.get("changes", {"city": "Turin"})
    await scene.plays(row)
    await scene.ada.call("PATCH", "/api/profile", changes, headers=KEPT)
    scene.graph.lag, scene.graph.reads, scene.graph.glimpses, scene.between.act = 0, [], [], None
    scene.between.passes = True
    held = all(scene.graph.profile[name] == value for name, value in changes.items())
    written = len(scene.graph.sent("PATCH"))

    again = await scene.ada.call("PATCH", "/api/profile", changes, headers=KEPT)
    third = await scene.ada.call("PATCH", "/api/profile", changes, headers=KEPT)

    assert (again.status, third.status, third.body) == (200, 200, again.body)
    assert changes.items() <= again.body.items()
    assert len(scene.graph.sent("PATCH")) == written + (not held), "only what is not there is written"


async def test_L5_the_table_has_a_row_for_everything_that_becomes_of_a_write() -> None:
    told = {(row["at"], row["answer"][0], row["answer"][2]) for row in ROWS}

    assert len(ROWS) >= 25
    for at in ("graph", "api"):
        assert {(at, 200, None), (at, 502, "unknown"), (at, 502, "not-saved")} <= told
    assert {row["person_reads"] for row in ROWS} == {"saved", "data.unsure", "data.kept"}


async def test_L5_another_edit_under_the_key_of_one_of_which_nobody_knows_is_refused(scene: Scene) -> None:
    scene.graph.patches = [Act(status=500, applies=False)]
    await scene.ada.call("PATCH", "/api/profile", {"city": "Turin"}, headers=KEPT)

    other = await scene.ada.call("PATCH", "/api/profile", {"city": "Oslo"}, headers=KEPT)

    assert (other.status, other.slug) == (422, "idempotency-key-reused")
    assert scene.graph.sent("PATCH") == [{"city": "Turin"}]


async def test_L5_what_was_saved_a_moment_ago_does_not_cover_a_write_of_which_nobody_knows(
    scene: Scene,
) -> None:
    await scene.ada.call("PATCH", "/api/profile", {"city": "Rome"})
    await scene.plays(next(row for row in ROWS if row["id"] == "500 after it was done, and replicas lag"))
    doubted = await scene.ada.call("PATCH", "/api/profile", {"city": "Turin"})
    lagging = await scene.ada.call("GET", "/api/profile")
    scene.graph.lag = 0

    seen = await scene.ada.call("GET", "/api/profile")

    assert doubted.body["outcome"] == "unknown"
    assert lagging.body["city"] == "Rome", "what is unknown is not shown as saved"
    assert seen.body["city"] == "Turin", "and what is there is shown"


async def test_L5_a_value_from_before_the_last_save_is_no_evidence(scene: Scene) -> None:
    etag = (await scene.ada.call("GET", "/api/profile")).headers["ETag"]
    await scene.ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers={"If-Match": etag})
    scene.between.passes, scene.between.act = False, Act(status=502)
    scene.graph.lag = 9  # replicas still say London

    back = await scene.ada.call("PATCH", "/api/profile", {"city": "London"})

    assert (back.status, back.body["outcome"]) == (502, "unknown")
    assert scene.graph.profile["city"] == "Rome"


async def test_L5_two_edits_that_cross_are_each_told_truthfully(scene: Scene) -> None:
    scene.graph.patches = [Act(status=500, applies=False), Act(status=500)]

    first, second = await asyncio.gather(
        scene.ada.call("PATCH", "/api/profile", {"city": "Turin"}),
        scene.ada.call("PATCH", "/api/profile", {"state": "Piedmont"}),
    )

    lost, done = (first, second) if first.status == 502 else (second, first)
    assert (lost.status, lost.body["outcome"], done.status) == (502, "unknown", 200)
    held = {name: scene.graph.profile[name] for name in ("city", "state")}
    assert held in ({"city": "Turin", "state": None}, {"city": "London", "state": "Piedmont"})
