"""What is slow or throttled for some is nothing to the others: token requests of each purpose, and each upstream."""

import asyncio
import threading
from typing import Any

from gateway.profile.rows import Patience
from gateway.tokens.resources import EDIT, Resource
from servicekit.throttling import DIFFERENT
from servicekit.token_threads import FAILURES, OPEN_SECONDS, REFRESH, RENEWAL
from servicekit.upstream import FAILURES as FAILURES_OF_AN_UPSTREAM
from servicekit.upstream import OPEN_SECONDS as OPEN_SECONDS_OF_AN_UPSTREAM
from tests.product.test_authority_in_trouble import REFRESHES, MakeWorld, entra_of, fault, heal
from tests.product.test_metrics import counted, drawn
from tests.product.test_tokens import READ, end_of_token
from tests.stage.http_wire import token_request
from tests.stage.network import Network
from tests.stage.other_front_end import GRACE, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.tenant import EDIT as EDIT_SCOPE
from tests.stage.world import World

WRITE = Resource(EDIT, EDIT_SCOPE)


async def with_ended_tokens(world: World, people: int) -> list[OtherFrontEnd]:
    """People in sessions of their own, each with a token that has ended."""
    fronts = []
    for _ in range(people):
        person = await world.signed_in()
        await end_of_token(world, person, 0)
        fronts.append(person)
    return fronts


async def test_R15_L9_an_authority_that_asks_several_for_a_minute_has_it_from_everybody(
    world: World,
) -> None:
    people = await with_ended_tokens(world, DIFFERENT + 2)
    await fault(world, REFRESHES, status=429, retry_after=60)

    for _ in range(5):
        for person in people:
            answer = await person.call("GET", "/api/profile")
            assert (answer.status, answer.slug) == (503, "authority-unavailable")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
        world.forward(11)
    assert await world.asked(REFRESHES) == DIFFERENT, "the others asked nobody"
    await heal(world)
    world.forward(11)
    for person in people:
        assert (await person.call("GET", "/api/profile")).status == 200


async def test_L9_one_429_holds_the_session_that_it_was_told_to_and_nobody_else(world: World) -> None:
    ada = await world.confirmed()
    await end_of_token(world, ada, 0)
    (other,) = await with_ended_tokens(world, 1)
    await world.admin("DELETE", "/requests")
    await fault(world, REFRESHES, status=429, retry_after=60, times=1)

    for _ in range(5):
        answer = await ada.call("GET", "/api/profile")
        assert (answer.status, answer.slug) == (503, "authority-unavailable")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        world.forward(10)
    assert await world.asked(REFRESHES) == 1, "it waits as it was told"
    assert (await other.call("GET", "/api/profile")).status == 200
    newcomer = await world.front_end()
    assert await newcomer.sign_in(GRACE) == "/edit"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True

    world.forward(10)
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_L9_a_429_holds_the_session_for_every_resource(world: World) -> None:
    ada = await world.confirmed()
    for resource in (READ, WRITE):
        await end_of_token(world, ada, 0, resource)
    await world.admin("DELETE", "/requests")
    await fault(world, REFRESHES, status=429, retry_after=60, times=1)

    reading = await ada.call("GET", "/api/profile")
    saving = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    assert reading.slug == saving.slug == "authority-unavailable"
    assert await world.asked(REFRESHES) == 1


async def test_L6_people_sign_in_while_all_refreshes_hang(make_world: MakeWorld) -> None:
    world = await make_world(authority_seconds=4)
    entra = entra_of(world)
    people = await with_ended_tokens(world, 2)
    await fault(world, REFRESHES, delay_ms=9_000)

    def renew(client: Any) -> Any:
        return client.acquire_token_by_refresh_token("made-up", ["User.Read"])

    stuck = [
        asyncio.ensure_future(entra.call(renew, purpose=purpose))
        for purpose in (REFRESH, RENEWAL)
        for _ in range(purpose.limits.places)
    ]
    reading = [asyncio.ensure_future(person.call("GET", "/api/profile")) for person in people]
    await asyncio.sleep(0)  # the threads of both purposes are taken

    newcomer = await world.front_end()
    assert await newcomer.sign_in() == "/edit"
    assert (await newcomer.call("GET", "/api/profile")).status == 200
    assert await newcomer.step_up("/auth/step-up?action=profile.edit&return_to=/edit") == "/edit"
    assert (await newcomer.call("PATCH", "/api/profile", {"city": "Turin"})).status == 200
    assert not any(call.done() for call in (*stuck, *reading)), "they hang still"
    for call in (*stuck, *reading):
        call.cancel()
    await asyncio.gather(*stuck, *reading, return_exceptions=True)


async def test_L6_who_waits_for_a_token_keeps_nobody_else_out(
    make_world: MakeWorld, network: Network
) -> None:
    world = await make_world(network=network, MAX_REQUESTS="4")
    people = await with_ended_tokens(world, 5)
    fresh = await world.signed_in()
    held = network.authority.hold(token_request("refresh_token"), times=None)
    reading = [asyncio.create_task(person.call("GET", "/api/profile")) for person in people]
    await held.reached(len(people))

    for path in ("/api/session", "/api/profile", "/api/sessions"):
        assert (await fresh.call("GET", path)).status == 200
    held.release()
    assert [(await answer).status for answer in reading] == [200] * len(people)
    assert 'stepup_requests_in_work{places="work"} 0.0' in drawn(world), "each came back"


async def test_L6_waiting_for_our_own_threads_is_answered_as_such_and_never_remembered(world: World) -> None:
    (ada,) = await with_ended_tokens(world, 1)
    entra, gate = entra_of(world), threading.Event()
    limits = REFRESH.limits
    crowd = [
        asyncio.ensure_future(entra.call(lambda _client: gate.wait(30), purpose=REFRESH))
        for _ in range(limits.places + limits.waiting)
    ]
    await asyncio.sleep(0)  # each has a thread, or waits for one

    refused = await ada.call("GET", "/api/profile")
    assert (refused.status, refused.slug) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    gate.set()
    await asyncio.gather(*crowd)

    assert (await ada.call("GET", "/api/profile")).status == 200, "at once: no pause is remembered"
    assert await world.asked(REFRESHES) == 1


async def test_L6_who_comes_back_at_expiry_is_served_by_one_token_request_each(world: World) -> None:
    people = await with_ended_tokens(world, 12)
    await world.admin("DELETE", "/requests")
    await fault(world, REFRESHES, delay_ms=300)

    answers = await asyncio.gather(*(person.call("GET", "/api/profile") for person in people for _ in "ab"))
    assert {answer.status for answer in answers} == {200}
    assert await world.asked(REFRESHES) == len(people)


def threads_that_refresh() -> set[int | None]:
    """Return the threads that wait for the authority, or have done so."""
    return {thread.ident for thread in threading.enumerate() if thread.name.startswith("msal-refresh")}


async def test_L6_refreshes_that_hang_take_no_turn_from_others(make_world: MakeWorld) -> None:
    world = await make_world(authority_seconds=4)
    people = await with_ended_tokens(world, 6)
    await fault(world, REFRESHES, delay_ms=9_000)
    before = threads_that_refresh()

    reading = [asyncio.ensure_future(person.call("GET", "/api/profile")) for person in people]
    async with asyncio.timeout(PATIENCE):
        while len(threads_that_refresh() - before) < len(people):  # noqa: ASYNC110 - threads are looked at
            await asyncio.sleep(0.02)
    assert not any(call.done() for call in reading), "all of them wait for the authority"

    for call in reading:
        call.cancel()
    await asyncio.gather(*reading, return_exceptions=True)


async def test_L6_what_failed_a_moment_ago_is_not_remembered_of_a_session_that_asked_nobody(
    world: World,
) -> None:
    people = await with_ended_tokens(world, FAILURES + 1)
    await fault(world, REFRESHES, status=500)
    for person in people:
        assert (await person.call("GET", "/api/profile")).slug == "authority-unavailable"
    assert await world.asked(REFRESHES) == FAILURES
    await heal(world)
    world.forward(OPEN_SECONDS)

    assert (await people[-1].call("GET", "/api/profile")).status == 200


# Upstreams

QUICK_GRAPH, QUICK_API = Patience(read=0.5), Patience(edit=0.5)


def breaker(world: World, name: str) -> float:
    """What an operator reads of it."""
    return counted(drawn(world), "stepup_breaker_open")[(name,)]


async def test_L10_while_graph_hangs_people_are_told_at_once_after_the_first_ones(
    make_world: MakeWorld,
) -> None:
    world = await make_world(profile_patience=QUICK_GRAPH)
    ada = await world.confirmed()
    await fault(world, "graph.get_me", delay_ms=20_000)
    for _ in range(FAILURES_OF_AN_UPSTREAM):
        assert (await ada.call("GET", "/api/profile")).slug == "resource-unavailable"
    assert breaker(world, "graph") == 1
    await world.admin("DELETE", "/requests")

    refused = await ada.call("GET", "/api/profile")
    assert (refused.status, refused.slug) == (502, "resource-unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert await world.asked("graph.get_me") == 0, "nothing was sent"
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True
    newcomer = await world.front_end()
    assert await newcomer.sign_in(GRACE) == "/edit"

    await heal(world)
    world.forward(OPEN_SECONDS_OF_AN_UPSTREAM)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("PATCH", "/api/profile", {"city": "Turin"})).status == 200
    assert breaker(world, "graph") == 0


async def test_L10_an_edit_that_is_refused_while_the_api_hangs_was_not_saved(make_world: MakeWorld) -> None:
    world = await make_world(profile_patience=QUICK_API)
    ada = await world.confirmed()
    await fault(world, "graph.patch_me", delay_ms=20_000)
    for _ in range(FAILURES_OF_AN_UPSTREAM):
        lost = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
        assert (lost.slug, lost.body["outcome"]) == ("resource-unavailable", "unknown")
    assert breaker(world, "resource-api") == 1
    await world.admin("DELETE", "/requests")

    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    assert (refused.status, refused.slug, refused.body["outcome"]) == (
        502,
        "resource-unavailable",
        "not-saved",
    )
    assert await world.asked("graph.patch_me") == 0, "nothing was sent"
    assert (await ada.call("GET", "/api/profile")).status == 200, "Graph is another upstream"
