"""U21: `If-Match` is judged where the profile is read before it is written, and a replica that lags is no conflict."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from servicekit.http.conditions import etag_of
from tests.product.test_lost_answers import StandIn, outcome_of, stand_in
from tests.stage.http_wire import HttpRequest, asks
from tests.stage.network import Network
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.world import World
from tests.unit.resource_api.graph_double import GraphDouble, graph_double

MakeWorld = Callable[..., Awaitable[World]]

SAVE = asks("PATCH", "/profile")


async def seen(person: OtherFrontEnd) -> str:
    """Return the entity tag of the profile as it is shown."""
    return (await person.call("GET", "/api/profile")).headers["ETag"]


async def save(person: OtherFrontEnd, etag: str, **changes: str) -> Answer:
    """Save something on a condition."""
    return await person.call("PATCH", "/api/profile", changes, headers={"If-Match": etag})


async def test_U21_a_conditional_edit_asks_graph_twice_and_its_conflict_once(world: World) -> None:
    ada = await world.confirmed()
    etag = await seen(ada)
    await world.admin("DELETE", "/requests")

    saved = await save(ada, etag, city="Turin")

    assert saved.status == 200
    assert [await world.asked(f"graph.{one}") for one in ("get_me", "patch_me")] == [1, 1]
    stale = await save(await world.confirmed(), etag, city="Rome")
    assert (stale.status, stale.body["profile"]["city"]) == (412, "Turin")
    assert [await world.asked(f"graph.{one}") for one in ("get_me", "patch_me")] == [2, 1]


async def test_U21_what_somebody_saves_while_an_edit_is_on_its_way_is_not_overwritten(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    ada, elsewhere = await world.confirmed(), await world.confirmed()
    etag = await seen(ada)
    held = network.api.hold(SAVE)

    saving = asyncio.create_task(save(ada, etag, city="Rome"))
    await held.reached()
    assert (await elsewhere.call("PATCH", "/api/profile", {"city": "Oslo"})).status == 200
    held.release()

    met = await saving
    assert (met.status, met.slug, met.body["profile"]["city"]) == (412, "profile-changed", "Oslo")


async def test_U21_of_sessions_that_saw_the_same_and_save_at_once_one_saves(world: World) -> None:
    people = [await world.confirmed() for _ in range(3)]
    etag = await seen(people[0])

    answers = await asyncio.gather(
        *(save(person, etag, city=f"{number}") for number, person in enumerate(people))
    )

    assert sorted(answer.status for answer in answers) == [200, 412, 412]
    (saved,) = (answer.body["city"] for answer in answers if answer.status == 200)
    assert {answer.body["profile"]["city"] for answer in answers if answer.status == 412} == {saved}


async def test_U21_a_conflict_is_told_before_anybody_confirms_anything(world: World) -> None:
    ada = await world.signed_in()
    etag = await seen(ada)
    await (await world.confirmed()).call("PATCH", "/api/profile", {"city": "Oslo"})

    met = await save(ada, etag, city="Rome")
    held = await save(ada, etag, city="Oslo")

    assert (met.status, met.slug, met.body["profile"]["city"]) == (412, "profile-changed", "Oslo")
    assert (held.status, held.body["city"]) == (200, "Oslo"), "what is there already needs no confirmation"
    assert (await save(ada, met.headers["ETag"], city="Rome")).slug == "step-up-required"


@pytest.fixture
async def lagging(make_world: MakeWorld) -> AsyncIterator[tuple[OtherFrontEnd, GraphDouble]]:
    """Give Ada, confirmed, before a Graph whose replicas answer as told."""
    async with graph_double() as graph:
        world = await make_world(graph=graph.url)
        ada = await world.confirmed()
        user = (await ada.call("GET", "/api/session")).body["user"]
        graph.profile |= {"id": user["id"], "displayName": "Ada Lovelace", "city": "London"}
        yield ada, graph


async def test_R18_a_state_that_only_a_lagging_replica_has_left_is_no_longer_current(
    lagging: tuple[OtherFrontEnd, GraphDouble],
) -> None:
    ada, graph = lagging
    old = await seen(ada)
    assert (await save(ada, old, city="Rome")).status == 200
    graph.lag = 9

    met = await save(ada, old, state="Lazio")

    assert (met.status, met.body["profile"]["city"]) == (412, "Rome")
    assert graph.sent("PATCH") == [{"city": "Rome"}]


@pytest.mark.parametrize(
    "replicas",
    [["London", "London"], ["London", "Rome"], ["Rome", "London", "Rome"], ["Rome", "London", "London"]],
    ids=" then ".join,
)
async def test_R18_a_replica_that_lags_behind_our_own_save_is_no_conflict(
    lagging: tuple[OtherFrontEnd, GraphDouble], replicas: list[str]
) -> None:
    ada, graph = lagging
    saved = await save(ada, await seen(ada), city="Rome")
    graph.glimpses = [{"city": city} for city in replicas]

    again = await save(ada, saved.headers["ETag"], state="Lazio")

    assert (again.status, again.body["city"], again.body["state"]) == (200, "Rome", "Lazio")
    assert graph.sent("PATCH") == [{"city": "Rome"}, {"state": "Lazio"}]


async def test_R18_replicas_that_never_agree_cost_no_edit(
    lagging: tuple[OtherFrontEnd, GraphDouble],
) -> None:
    ada, graph = lagging
    etag = await seen(ada)
    for city in ("Bari", "Pisa", "Rome"):
        etag = (await save(ada, etag, city=city)).headers["ETag"]
    graph.glimpses = [{"city": city} for city in ("London", "Bari", "Pisa", "London", "Bari", "Pisa")]

    saved = await save(ada, etag, state="Lazio")

    assert (saved.status, saved.body["city"], saved.body["state"]) == (200, "Rome", "Lazio")


async def test_U21_a_change_made_elsewhere_is_a_conflict_though_a_replica_lags_too(
    lagging: tuple[OtherFrontEnd, GraphDouble],
) -> None:
    ada, graph = lagging
    saved = await save(ada, await seen(ada), city="Rome")
    graph.profile |= {"city": "Oslo"}
    graph.glimpses = [{"city": "London"}]  # what is read here; the API reads the newest

    met = await save(ada, saved.headers["ETag"], state="Lazio")

    assert (met.status, met.body["profile"]["city"]) == (412, "Oslo")


def sent(held: list[HttpRequest]) -> list[str | None]:
    """Return the conditions that the API was sent."""
    lines = [one.raw.partition(b"\r\n\r\n")[0].decode().split("\r\n") for one in held]
    return [next((line[10:] for line in head if line.startswith("If-Match: ")), None) for head in lines]


async def test_S47_of_a_condition_goes_out_what_can_match_and_never_more(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network)
    passed = network.api.slow(SAVE, 0)
    ours = await seen(await world.confirmed())
    many = ", ".join(f'"{number:032x}"' for number in range(99))

    for condition in (f'"canary", {ours}, W/{ours}', "*", f"{ours}, {many}"):
        ada = await world.confirmed()
        assert (await save(ada, condition, country="United Kingdom")).status == 200
    await (await world.confirmed()).call("PATCH", "/api/profile", {"country": "United Kingdom"})

    first, anything, bounded, none = sent(passed.met)
    assert (first, anything, none) == (ours, "*", None)
    assert bounded is not None
    assert len(bounded.split(", ")) == 16


@pytest.fixture
async def api() -> AsyncIterator[StandIn]:
    """Give an API that answers as told."""
    async with stand_in() as running:
        yield running


@pytest.fixture
async def ada(make_world: MakeWorld, api: StandIn) -> OtherFrontEnd:
    """Give Ada, confirmed, with that API."""
    person = await (await make_world(RESOURCE_API_URL=api.url)).confirmed()
    api.profile = (await person.call("GET", "/api/profile")).body
    return person


async def test_R27_an_api_that_judges_no_condition_is_told_of_and_is_not_relied_on_again(
    ada: OtherFrontEnd, api: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    etag = await seen(ada)
    api.say(city="Turin")

    assert (await save(ada, etag, city="Turin")).status == 200
    assert caplog.messages.count("condition-not-judged") == 1
    stale = await save(ada, '"0123456789abcdef0123456789abcdef"', city="Rome")
    assert (stale.status, stale.body["profile"]["city"], api.asked) == (412, "Turin", 1)

    api.say(city="Rome")
    api.body["before"] = {"city": "Turin"}
    assert (await save(ada, stale.headers["ETag"], city="Rome")).status == 200
    assert caplog.messages.count("condition-not-judged") == 1, "it judges by now"


NOT_OURS: dict[str, Any] = {
    "no body of ours": None,
    "no profile": {"profile": "London"},
    "another person's profile": {"profile": {"id": "canary", "city": "canary"}},
    "a problem of another kind": {"type": "/problems/other"},
}


@pytest.mark.parametrize("what", NOT_OURS)
async def test_R18_a_412_that_shows_no_profile_of_the_person_is_a_failure_that_saved_nothing(
    ada: OtherFrontEnd, api: StandIn, what: str
) -> None:
    api.problem(412, "profile-changed", **(NOT_OURS[what] or {}))
    if NOT_OURS[what] is None:
        api.body = {}

    answer = await save(ada, await seen(ada), city="Turin")

    assert outcome_of(answer) == (502, "resource-unavailable", "not-saved")
    assert "canary" not in answer.text
    assert api.asked == 1


async def test_U21_a_conflict_in_the_api_shows_the_profile_with_its_tag(
    ada: OtherFrontEnd, api: StandIn
) -> None:
    there = {**api.profile, "city": "Oslo"}
    api.problem(412, "profile-changed", profile={**there, "secret": "canary"})

    met = await save(ada, await seen(ada), city="Turin")

    assert (met.status, met.slug, met.body["profile"]) == (412, "profile-changed", there)
    assert met.headers["ETag"] == etag_of(there)
    api.problem(412, "profile-changed", profile={**there, "city": "Turin"})
    assert (await save(ada, await seen(ada), city="Turin")).status == 200, (
        "ours, and only the answer was lost"
    )
