"""What a session has just saved is what it is shown, and what others saved since is not hidden by it (R18, B7)."""

import asyncio

from gateway.profile.recently_saved import RECENT_SECONDS
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.world import World

LAG = RECENT_SECONDS - 5


async def lag(world: World, seconds: float = LAG) -> None:
    """Let Graph's replicas answer with what was so many seconds ago."""
    await world.admin("PUT", "/settings", {"graph_lag_seconds": seconds})


async def seen(person: OtherFrontEnd) -> tuple[dict[str, str | None], str]:
    """Return the profile as it is shown, and its entity tag."""
    answer = await person.call("GET", "/api/profile")
    return answer.body, answer.headers["ETag"]


async def test_R18_every_answer_has_all_that_was_saved_recently_and_not_only_the_last_of_it(
    world: World,
) -> None:
    ada = await world.confirmed()
    await lag(world)

    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    second = await ada.call("PATCH", "/api/profile", {"jobTitle": "Countess"})

    assert (second.body["city"], second.body["jobTitle"]) == ("Rome", "Countess")
    assert await seen(ada) == (second.body, second.headers["ETag"])


async def test_R18_two_saves_at_once_are_both_shown(world: World) -> None:
    ada = await world.confirmed()
    await lag(world)
    await world.admin("PUT", "/faults/graph.patch_me", {"delay_ms": 200, "times": 2})

    await asyncio.gather(
        ada.call("PATCH", "/api/profile", {"city": "Rome"}),
        ada.call("PATCH", "/api/profile", {"surname": "King"}),
    )

    profile, _ = await seen(ada)
    assert (profile["city"], profile["surname"]) == ("Rome", "King")


async def test_R18_what_was_saved_before_a_step_up_is_shown_after_it(world: World) -> None:
    ada = await world.confirmed()
    await lag(world)
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")

    assert (await seen(ada))[0]["city"] == "Rome"


async def test_a_change_made_elsewhere_after_ours_is_seen_at_once_and_never_overwritten_unseen(
    world: World,
) -> None:
    ada, elsewhere = await world.confirmed(), await world.confirmed()
    _, etag = await seen(ada)
    saved = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers={"If-Match": etag})
    await elsewhere.call("PATCH", "/api/profile", {"city": "Oslo"})

    assert (await seen(ada))[0]["city"] == "Oslo"
    met = await ada.call(
        "PATCH", "/api/profile", {"city": "Pisa"}, headers={"If-Match": saved.headers["ETag"]}
    )

    assert (met.status, met.slug, met.body["profile"]["city"]) == (412, "profile-changed", "Oslo")


async def test_R18_a_replica_may_still_show_any_state_before_ours(world: World) -> None:
    ada = await world.confirmed()
    etag = "*"
    for city in ("Rome", "Pisa", "Bari"):
        world.forward(10)
        saved = await ada.call("PATCH", "/api/profile", {"city": city}, headers={"If-Match": etag})
        etag = saved.headers["ETag"]

    for seconds in (25, 15, 5, 0):  # London, Rome, Pisa, Bari
        await lag(world, seconds)
        assert (await seen(ada))[0]["city"] == "Bari", seconds


async def test_a_field_is_covered_for_its_own_minute_and_no_other_save_prolongs_that(world: World) -> None:
    ada, elsewhere = await world.confirmed(), await world.confirmed()
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    await elsewhere.call("PATCH", "/api/profile", {"city": "Oslo"})
    world.forward(RECENT_SECONDS - 10)
    await ada.call("PATCH", "/api/profile", {"surname": "King"})

    world.forward(11)

    assert (await seen(ada))[0]["city"] == "Oslo"


async def test_R18_an_edit_that_holds_already_is_no_conflict(world: World) -> None:
    ada = await world.confirmed()
    before, etag = await seen(ada)
    condition = {"If-Match": etag}
    first = await ada.call("PATCH", "/api/profile", {"city": "Rome"}, headers=condition)

    for again in ({"city": "Rome"}, {"city": "Rome", "country": before["country"]}):
        second = await ada.call("PATCH", "/api/profile", again, headers=condition)
        assert (second.status, second.body) == (200, first.body)
        assert second.headers["ETag"] == first.headers["ETag"]
    assert await world.asked("graph.patch_me") == 1

    for other in ({"city": "Rome", "surname": "King"}, {}):
        met = await ada.call("PATCH", "/api/profile", other, headers=condition)
        assert (met.status, met.slug) == (412, "profile-changed"), other
