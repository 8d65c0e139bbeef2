"""The vault: what a session's records are while it lives."""

import logging

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.store.fields import Field
from gateway.store.names import index_key, lock_key
from gateway.store.scripts import WRITE
from gateway.store.vault import (
    SEEN,
    WRITES,
    Indexing,
    Vault,
)
from gateway.store.written import Written
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.tenant import MovableClock
from tests.unit.gateway.store.vault_session import (
    INDEXING,
    NOTE,
    OWNERS,
    SECRET,
    created,
    indexed,
    note,
    opened,
)
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW


async def test_a_session_begins_with_its_records_under_its_indexes(vault: Vault) -> None:
    ref = await created(vault)

    stored = await vault.read(ref, ["note", SEEN, "absent"])
    assert opened(vault, ref, stored) == b"hi"
    assert stored[SEEN] == b"1750000000000"
    assert stored["absent"] is None
    assert await vault.read_all(ref) == {name: stored[name] for name in (SEEN, "note")}
    for owner in OWNERS:
        assert await indexed(vault, owner) == [ref.packed]
        assert ABSOLUTE - 60 < await vault.redis.ttl(index_key(*owner)) <= ABSOLUTE
    assert IDLE - 60 < await vault.redis.ttl(ref.key) <= IDLE


async def test_S33_a_field_opens_with_the_browsers_secret_or_without_as_it_was_written(vault: Vault) -> None:
    ref = SessionCookie.new().ref
    fields = {**NOTE, "summary": Field(b"open", NOW + 60, keyed=False)}
    assert await vault.create(ref, fields, idle=IDLE, secret=SECRET, indexing=INDEXING)
    await vault.write(ref, {"later": fields["summary"]}, secret=SECRET)

    stored = await vault.read_all(ref)

    for name, secret, value in (
        ("note", SECRET, b"hi"),
        ("note", b"", None),
        ("summary", b"", b"open"),
        ("summary", SECRET, None),
        ("later", b"", b"open"),
    ):
        field = vault.open(ref, name, stored[name], secret=secret)
        assert (field.value if field else None) == value


async def test_R24_references_older_than_any_session_are_dropped_on_the_way(
    vault: Vault, clock: MovableClock
) -> None:
    first = await created(vault)
    clock.now = NOW + ABSOLUTE
    second = SessionCookie.new().ref
    later = Indexing(OWNERS, clock.now, ABSOLUTE)

    assert await vault.create(second, {}, idle=IDLE, secret=SECRET, indexing=later)

    assert first.packed not in await indexed(vault)
    assert await indexed(vault) == [second.packed]


async def test_nothing_is_read_of_no_session(vault: Vault) -> None:
    ref = SessionCookie.new().ref

    assert await vault.read(ref, ["note", SEEN]) == {"note": None, SEEN: None}
    assert await vault.read_all(ref) == {}
    assert await vault.ends.reason(ref) is None


async def test_R27_a_record_that_does_not_open_is_none_and_noted(
    vault: Vault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ref = await created(vault)

    assert vault.open(ref, "note", None, secret=SECRET) is None
    assert vault.open(ref, "note", b"", secret=SECRET) is None
    assert caplog.messages == []
    assert vault.open(ref, "note:one", b"1750000060000" + b"x" * 60, secret=SECRET) is None
    assert caplog.messages == ["record-not-opened"]


async def test_S16_a_session_in_use_lives_on_from_here(vault: Vault, clock: MovableClock) -> None:
    ref = await created(vault)
    clock.now = NOW + 100.5

    await vault.touch(ref, idle=90)

    assert (await vault.read(ref, [SEEN]))[SEEN] == b"1750000100500"
    assert 60 < await vault.redis.ttl(ref.key) <= 90


async def test_a_write_replaces_removes_and_says_what_redis_holds_now(vault: Vault) -> None:
    ref = await created(vault)

    written = await vault.write(
        ref, {"other": Field(b"x", NOW + 60), "note": None, "absent": None}, secret=SECRET
    )

    assert written.is_whole
    assert written.writes == 1
    assert written.stored == {**await vault.read(ref, ["other"]), "note": None, "absent": None}
    assert set(await vault.read_all(ref)) == {SEEN, WRITES, "other"}
    assert (await vault.read(ref, [WRITES]))[WRITES] == b"1"


async def test_R13_a_write_to_a_session_that_has_ended_writes_nothing(vault: Vault) -> None:
    ref = await created(vault)
    await vault.ends.end(ref, "signed-out")

    assert await vault.write(ref, NOTE, secret=SECRET) == Written(is_whole=False, stored={}, writes=0)
    assert await vault.read_all(ref) == {}


async def test_R13_a_write_over_another_version_leaves_its_first_field_out(vault: Vault) -> None:
    ref = await created(vault)
    late, beside = Field(b"late", NOW + 60), Field(b"beside", NOW + 60)
    assert (await vault.write(ref, NOTE, secret=SECRET, over=("version", 0))).is_whole

    written = await vault.write(ref, {"note": late, "beside": beside}, secret=SECRET, over=("version", 0))

    assert not written.is_whole
    assert set(written.stored) == {"beside"}
    assert await note(vault, ref) == b"hi"
    assert opened(vault, ref, await vault.read_all(ref), "beside") == b"beside"
    assert (await vault.read(ref, ["version"]))["version"] == b"1"
    assert (await vault.write(ref, {"note": late}, secret=SECRET, over=("version", 1))).is_whole
    assert await note(vault, ref) == b"late"


async def test_R11_a_write_lets_go_of_a_lock_that_bears_the_mark(vault: Vault) -> None:
    ref = await created(vault)
    await vault.redis.set(lock_key(ref, "work"), "mark")

    await vault.write(ref, NOTE, secret=SECRET)
    await vault.write(ref, NOTE, secret=SECRET, release=("work", "another"))
    assert await vault.redis.get(lock_key(ref, "work")) == b"mark"
    await vault.write(ref, NOTE, secret=SECRET, release=("work", "mark"))
    assert await vault.redis.get(lock_key(ref, "work")) is None


async def test_R2_a_redis_that_fails_is_told_apart_from_a_session_that_is_not_there(
    vault: Vault, way_to_redis: RequestProxy[Command]
) -> None:
    ref = await created(vault)
    await vault.ping()
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)

    for asking in (
        created(vault),
        vault.read(ref, ["note"]),
        vault.read_all(ref),
        vault.touch(ref, idle=60),
        vault.write(ref, NOTE, secret=SECRET),
        vault.ends.end(ref, "signed-out"),
        vault.ends.reason(ref),
        vault.ends.confirm(ref),
        vault.ping(),
    ):
        with pytest.raises(SessionStoreUnavailable):
            await asking


async def test_R12_a_write_whose_answer_is_lost_is_made_again(
    vault: Vault, way_to_redis: RequestProxy[Command]
) -> None:
    ref = await created(vault)
    lost = way_to_redis.lose_answer(runs(WRITE))

    again = await vault.write(ref, {"note": Field(b"new", NOW + 60)}, secret=SECRET, over=("note_version", 0))

    assert lost.met
    assert again.is_whole
    assert again.writes == 2, "nobody takes it for one"
    assert await note(vault, ref) == b"new"
    assert (await vault.read(ref, ["note_version"]))["note_version"] == b"1"


async def test_a_mark_says_when_a_session_was_used_and_how_often_it_was_written(vault: Vault) -> None:
    ref = await created(vault)
    command = vault.mark_command(ref)
    assert tuple(await vault.read_mark(command, ref)) == (b"1750000000000", None)

    await vault.write(ref, NOTE, secret=SECRET)
    assert tuple(await vault.read_mark(command, ref)) == (b"1750000000000", b"1")

    await vault.ends.end(ref, "signed-out", list(OWNERS))
    assert tuple(await vault.read_mark(command, ref)) == (None, None)
