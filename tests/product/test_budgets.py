"""What one person can put into Redis (A2): little, and never at the cost of what others or they themselves need."""

import secrets
from typing import Any

import pytest

from gateway.proxy.parked_form import MOST_PARKED
from gateway.proxy.parked_requests import PERSONS_BYTES
from gateway.proxy.repeats import MOST_KEYS
from gateway.session.cookie import SessionCookie
from gateway.store.vault import SESSION_BYTES
from tests.stage.flood import STEP_UP, large, save
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.world import World


def key_of(person: OtherFrontEnd) -> str:
    cookie = SessionCookie.parse(person.cookie())
    assert cookie
    return cookie.ref.key


async def fields(world: World, person: OtherFrontEnd, kind: str) -> list[str]:
    names: Any = await world.redis.hkeys(key_of(person))
    return [name.decode() for name in names if name.decode().startswith(kind)]


async def bytes_of(world: World, person: OtherFrontEnd) -> int:
    held: Any = await world.redis.hgetall(key_of(person))
    return sum(map(len, (*held.keys(), *held.values())))


async def test_A2_three_interrupted_edits_wait_and_the_first_says_what_became_of_it(world: World) -> None:
    ada = await world.signed_in()
    parked = []
    for number in range(4):
        parked.append((await save(ada, {"city": f"City {number}"})).body["parked_edit"]["id"])
        world.forward(1)

    assert len(await fields(world, ada, "parked:")) == MOST_PARKED == 3
    gone = await ada.call("GET", f"/api/parked-edits/{parked[0]}")
    assert (gone.status, gone.slug) == (404, "not-found")
    assert "younger changes took its place" in gone.body["detail"]

    await ada.step_up(STEP_UP)
    for number, identifier in enumerate(parked[1:], 1):
        applied = await ada.call("POST", f"/api/parked-edits/{identifier}")
        assert (applied.status, applied.body["city"]) == (200, f"City {number}")
    assert (await save(ada, {"city": "City 0"})).status == 200, "and the first one is sent again"


async def test_A2_a_key_is_remembered_by_a_hash_and_answered_with_the_profile_as_it_now_is(
    world: World,
) -> None:
    ada = await world.confirmed()
    secret = "Rue de la Cle 7"
    assert (await save(ada, {"streetAddress": secret}, Idempotency_Key="first")).status == 200
    assert (await save(ada, {"jobTitle": "Analyst"})).status == 200

    again = await save(ada, {"streetAddress": secret}, Idempotency_Key="first")

    assert (again.status, again.body["streetAddress"], again.body["jobTitle"]) == (200, secret, "Analyst")
    assert again.headers["ETag"] == (await ada.call("GET", "/api/profile")).headers["ETag"]
    assert await world.asked("graph.patch_me") == 2
    (field,) = await fields(world, ada, "idempotency:")
    assert await world.redis.hstrlen(key_of(ada), field) < 200


async def test_A2_U21_a_key_whose_answer_cannot_be_read_anew_does_not_claim_that_nothing_was_saved(
    world: World,
) -> None:
    ada = await world.confirmed()
    assert (await save(ada, {"city": "Rome"}, Idempotency_Key="k")).status == 200
    await world.admin("PUT", "/faults/graph.get_me", {"status": 500, "times": 9})

    again = await save(ada, {"city": "Rome"}, Idempotency_Key="k")

    assert (again.status, again.slug, again.body["outcome"]) == (502, "resource-unavailable", "unknown")
    await world.admin("DELETE", "/faults")
    assert (await save(ada, {"city": "Rome"}, Idempotency_Key="k")).body["city"] == "Rome"
    assert await world.asked("graph.patch_me") == 1


async def test_A2_a_session_keeps_a_few_keys_and_the_last_ones_are_honoured(world: World) -> None:
    ada = await world.confirmed()
    for number in range(MOST_KEYS + 3):
        world.forward(1)
        assert (await save(ada, {"city": f"City {number}"}, Idempotency_Key=f"k{number}")).status == 200
    written = await world.asked("graph.patch_me")

    last = await save(ada, {"city": f"City {MOST_KEYS + 2}"}, Idempotency_Key=f"k{MOST_KEYS + 2}")

    assert last.status == 200
    assert await world.asked("graph.patch_me") == written
    assert len(await fields(world, ada, "idempotency:")) == MOST_KEYS


async def filled(person: OtherFrontEnd) -> None:
    """Let a session hold as much of everything as it may."""

    async def condition() -> str:
        etag = (await person.call("GET", "/api/profile")).headers["ETag"]
        ours = ", ".join(f'"{secrets.token_hex(16)}"' for _ in range(40))
        return f'"{secrets.token_urlsafe(2000)}", {etag}, {ours}'

    for _ in range(MOST_PARKED + 1):
        assert (await save(person, large(), If_Match=await condition())).status == 403
    assert await person.step_up(STEP_UP) == "/edit"
    for number in range(MOST_KEYS + 2):
        changes = large() | {"preferredLanguage": "en-US"}
        key = f"{number}-{secrets.token_urlsafe(150)}"
        assert (await save(person, changes, If_Match=await condition(), Idempotency_Key=key)).status == 200
    for _ in range(12):
        await save(person, {"city": "a"}, If_Match='"another"')


async def test_A2_no_edit_makes_a_session_larger_than_its_budget_and_its_tokens_stay(world: World) -> None:
    ada = await world.signed_in()

    await filled(ada)

    assert len(await fields(world, ada, "parked:")) == MOST_PARKED
    assert len(await fields(world, ada, "idempotency:")) == MOST_KEYS
    assert await bytes_of(world, ada) <= SESSION_BYTES
    assert {"token:graph", "token:edit", "cache", "session"} <= set(await fields(world, ada, ""))
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_A2_what_a_person_parks_in_all_sessions_is_bounded_and_nobody_loses_what_they_hear_nothing_of(
    world: World,
) -> None:
    people = [await world.signed_in() for _ in range(17)]
    answers = [await save(person, large()) for person in people for _ in range(MOST_PARKED)]

    assert {answer.status for answer in answers} == {403}
    parked = [answer for answer in answers if "parked_edit" in answer.body]
    refused = [answer for answer in answers if "parked_edit" not in answer.body]
    assert parked
    assert refused
    assert all("send it again" in answer.body["detail"] for answer in refused)
    assert sum([await bytes_of(world, person) for person in people]) < PERSONS_BYTES + len(people) * 8000
    assert await people[-1].step_up(STEP_UP) == "/edit"
    assert (await save(people[-1], {"city": "Rome"})).status == 200, "as it is sent again then"


@pytest.mark.parametrize("repeated", [1, 3])
async def test_A2_what_was_saved_lately_is_compared_by_hashes(world: World, repeated: int) -> None:
    ada = await world.confirmed()
    for _ in range(repeated * 8):
        etag = (await ada.call("GET", "/api/profile")).headers["ETag"]
        assert (await save(ada, large(), If_Match=etag)).status == 200

    saved = await fields(world, ada, "saved:")
    sizes = [await world.redis.hstrlen(key_of(ada), field) for field in saved]
    assert len(saved) == 9
    assert sum(sizes) < 12_000


async def test_A2_a_session_without_room_parks_nothing_says_so_and_goes_on(world: World) -> None:
    ada = await world.signed_in()
    before = (await save(ada, {"city": "Turin"})).body["parked_edit"]["id"]
    # As large as with the claims of somebody in very many groups.
    await world.redis.hset(key_of(ada), "claims", "x" * (SESSION_BYTES - await bytes_of(world, ada)))

    refused = await save(ada, {"city": "Rome"}, Idempotency_Key="k")

    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert "parked_edit" not in refused.body
    assert "send it again" in refused.body["detail"]
    assert (await ada.call("GET", f"/api/parked-edits/{before}")).status == 200, (
        "nobody made room for nothing"
    )
    assert await ada.step_up(f"{refused.body['redirect']}&return_to=/check") == "/check"
    saved = await save(ada, {"city": "Rome"}, Idempotency_Key="k")
    assert (saved.status, saved.body["city"]) == (200, "Rome")
    assert (await ada.call("GET", "/api/profile")).body["city"] == "Rome"
