"""A person's own last entries in Redis (A6): written beside the work, bounded, sealed, and each person's own."""

import pytest

from gateway.audit.activity import KEPT_SECONDS, MOST_ENTRIES, Activity, ActivityEntry
from gateway.errors import SessionStoreUnavailable
from gateway.store.entry_lists import EntryLists
from gateway.store.keyed_names import keyed_names
from gateway.store.names import SessionRef, digest_of, record_key
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.store_of_tests import NOW, RING_KEY

ADA = ("tenant", "ada")
OTHER_KEY = b"another-key-of-32-bytes-01234567"


def entry(number: int = 0) -> ActivityEntry:
    """Return an entry; a higher number is a younger one."""
    return ActivityEntry(NOW + number, "sign-in", "success", "a" * 32, reference=f"{number}")


async def test_A6_what_was_noted_is_read_in_order_and_is_nobody_elses(vault: Vault) -> None:
    activity = Activity(vault)
    for number in (2, 0, 1):
        activity.note(*ADA, entry(number))

    assert [one.reference for one in await activity.entries(*ADA)] == ["2", "1", "0"]
    assert await activity.entries("tenant", "grace") == []
    assert await activity.entries("another", "ada") == []
    await activity.aclose()


async def test_A6_fifty_are_kept_for_a_week_after_the_last(vault: Vault) -> None:
    activity = Activity(vault)
    for number in range(MOST_ENTRIES + 5):
        activity.note(*ADA, entry(number))

    kept = await activity.entries(*ADA)

    assert [one.reference for one in kept] == [f"{number}" for number in range(MOST_ENTRIES + 4, 4, -1)]
    key = record_key("activity", digest_of(*ADA))
    assert KEPT_SECONDS - 60 < await vault.redis.ttl(key) <= KEPT_SECONDS
    assert await vault.redis.strlen(key) < 13_000
    await activity.aclose()


async def test_A6_what_waits_is_written_when_the_process_ends(vault: Vault) -> None:
    first, second = Activity(vault), Activity(vault)
    first.note(*ADA, entry())
    await first.aclose()

    assert len(await second.entries(*ADA)) == 1


async def test_A6_entries_wait_for_redis_for_a_while_and_nobody_waits_for_them(
    vault: Vault, way_to_redis: RequestProxy[Command], valkey: str
) -> None:
    activity = Activity(vault)
    way_to_redis.lead_to("redis://127.0.0.1:1")
    activity.note(*ADA, entry())
    with pytest.raises(SessionStoreUnavailable):
        await activity.entries(*ADA)

    way_to_redis.lead_to(valkey)
    await activity.aclose()

    assert [one.reference for one in await Activity(vault).entries(*ADA)] in (["0"], []), (
        "or lost, and told nobody"
    )


async def test_A6_an_entry_that_was_moved_to_somebody_else_does_not_open(vault: Vault) -> None:
    activity = Activity(vault)
    activity.note(*ADA, entry())
    await activity.entries(*ADA)
    stored = await vault.redis.get(record_key("activity", digest_of(*ADA)))
    await vault.redis.set(record_key("activity", digest_of("tenant", "grace")), stored, ex=60)

    assert await activity.entries("tenant", "grace") == []
    await activity.aclose()


@pytest.mark.parametrize("damage", [b"", b"0", b"9999", b"nonsense", b"0003abc", b"0000" * 3])
async def test_A6_a_damaged_list_shows_what_is_whole(vault: Vault, damage: bytes) -> None:
    lists = EntryLists(vault, "activity", most=50, ttl=60)
    await lists.prepend("ada", lists.seal("ada", b"one"))
    key = record_key("activity", "ada")
    whole = await vault.redis.get(key)
    await vault.redis.set(key, whole + damage, ex=60)

    assert await lists.read("ada") == [b"one"]


def test_A6_a_session_has_one_name_whatever_its_id_and_another_under_each_key(vault: Vault) -> None:
    before, after = SessionRef("family", "00" * 32), SessionRef("family", "ff" * 32)
    vault.ring = KeyRing([OTHER_KEY, RING_KEY])
    (new, old) = keyed_names(vault, before)

    assert keyed_names(vault, after) == [new, old]
    assert new != old
    vault.ring = KeyRing([RING_KEY])
    assert keyed_names(vault, before) == [old]
    assert keyed_names(vault, SessionRef("another", "00" * 32)) != [old]
    assert "family" not in old


def test_A6_what_is_empty_is_left_out_of_the_answer() -> None:
    shown = entry().as_json(current=True)

    assert set(shown) == {"at", "event", "outcome", "reference", "session"}
    assert shown["session"] == {"id": "a" * 32, "current": True}
    assert (
        ActivityEntry(NOW, "session-end", "success", "a" * 32, sessions=0).as_json(current=False)["sessions"]
        == 0
    )
