"""What of an edit lies in the store (A2): hashes of what is only compared, and nothing that cannot matter."""

import json

import pytest

from gateway.profile.edit_request import as_request, changes_of, repeated_edit
from gateway.profile.fields import MEMBERS, Profile
from gateway.profile.recently_saved import RECENT_SECONDS, SAVED, RecentlySaved, SavedField
from gateway.proxy.parked_form import read as read_form
from gateway.proxy.parked_requests import ParkedRequests
from gateway.proxy.repeats import ANSWER, RepeatedAnswer
from gateway.session.sessions import SessionStore
from gateway.store.vault import Vault
from servicekit.http.conditions import matches
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store_of_tests import begun

OURS = [f'"{number:032x}"' for number in range(40)]


def read(**members: str | None) -> Profile:
    return Profile({**dict.fromkeys(MEMBERS), **members})


@pytest.mark.parametrize(
    "condition, kept",
    [
        (None, None),
        ("*", "*"),
        (OURS[3], OURS[3]),
        (f'"foreign", {OURS[1]}, W/{OURS[2]}', OURS[1]),
        (", ".join(OURS), ", ".join(OURS[:16])),
        ('"foreign", "' + "x" * 4000 + '"', '""'),
        (f"W/{OURS[0]}", '""'),
    ],
)
def test_A2_of_a_condition_waits_what_can_match(
    vault: Vault, clock: MovableClock, condition: str | None, kept: str | None
) -> None:
    _, entry = ParkedRequests(vault, now=clock).parking(as_request({"city": "Rome"}, condition))

    (field,) = entry.values()
    parked = read_form(field.value)
    assert parked
    assert (changes_of(parked), parked.header("If-Match")) == ({"city": "Rome"}, kept)
    assert parked.expires_at == clock() + 600
    if condition not in {None, "*"}:
        assert kept is not None
        for tag in OURS[:16]:
            assert matches(kept, tag) == matches(str(condition), tag)


@pytest.mark.parametrize("saved", [True, False])
def test_A2_a_key_is_a_hash_and_whether_its_edit_is_saved(clock: MovableClock, *, saved: bool) -> None:
    changes = {"streetAddress": "Rue de la Cle 7"}

    (field,) = repeated_edit("a-key", dict(changes), None, now=clock).entry(saved=saved).values()

    assert b"la Cle" not in field.value
    assert b"a-key" not in field.value
    again = ANSWER.read(field.value)
    assert again
    assert (again.saved, again.profile) == (saved, None)


@pytest.mark.parametrize("profile, is_known", [({"city": "Rome"}, True), (None, False)])
def test_A2_R27_what_the_release_before_wrote_of_a_key_is_read(
    profile: dict[str, str | None] | None, *, is_known: bool
) -> None:
    answer = ANSWER.read(json.dumps({"mark": "m", "profile": profile}).encode())

    assert answer == RepeatedAnswer("m", saved=False, profile=profile)
    assert bool(answer.saved or answer.profile) == is_known


async def test_A2_what_was_there_before_is_kept_as_hashes_and_still_covered(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, recent = await begun(sessions), RecentlySaved(now=clock)
    entries = await recent.entries(session, {"city": "Rome"}, read(city="London"))
    await session.records.put(entries)

    (field,) = entries.values()
    assert b"London" not in field.value
    assert (await recent.laid_over(session, read(city="London")))["city"] == "Rome", "a replica is behind"
    assert (await recent.laid_over(session, read(city="Oslo")))["city"] == "Oslo", "somebody saved since"

    await session.records.put(await recent.doubts(session, {"city": "Turin"}))
    assert not await recent.proves(session, read(city="London"), {"city": "London"})


async def test_A2_R27_what_the_release_before_kept_as_values_is_still_covered(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, recent = await begun(sessions), RecentlySaved(now=clock)
    until = clock() + RECENT_SECONDS
    await session.records.put(
        {
            **SAVED.entry(SavedField("Rome", ["London", None], until), until, "city"),
            **SAVED.entry(SavedField("Analyst", None, until, perhaps=["Countess"]), until, "jobTitle"),
        }
    )

    for before in ("London", None):
        assert (await recent.laid_over(session, read(city=before)))["city"] == "Rome"
    shown = await recent.laid_over(session, read(city="Oslo", jobTitle="Countess"))
    assert (shown["city"], shown["jobTitle"]) == ("Oslo", "Countess")


async def test_L5_a_value_of_which_nobody_knows_that_it_was_not_there_before_proves_no_save(
    sessions: SessionStore, clock: MovableClock
) -> None:
    session, recent = await begun(sessions), RecentlySaved(now=clock)
    assert await recent.proves(session, read(city="London"), {"city": "London"})

    await session.records.put(await recent.entries(session, {"city": "Rome"}, None))

    assert not await recent.proves(session, read(city="London"), {"city": "London"}), (
        "perhaps from before Rome"
    )
    assert await recent.proves(session, read(city="Rome"), {"city": "Rome"})
    assert await recent.proves(session, read(state="Lazio"), {"state": "Lazio"}), "no save covers that"
    clock.now += RECENT_SECONDS + 1
    assert await recent.proves(session, read(city="London"), {"city": "London"})
