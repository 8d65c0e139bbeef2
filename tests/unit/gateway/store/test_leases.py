"""A lock that lives as long as its holder works: taken with what it protects, renewed, and always let go of."""

import asyncio

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.cookie import SessionCookie
from gateway.store.fields import Field
from gateway.store.leases import LEASE_SECONDS, LeaseTaken, lease
from gateway.store.names import SessionRef, lock_key
from gateway.store.scripts import CLAIM, RELEASE, RENEW
from gateway.store.vault import SEEN, Indexing, Vault
from tests.stage.redis_wire import NOT_NOW, Command, runs
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.store_of_tests import ABSOLUTE, IDLE, NOW

SECRET = b"s" * 32


@pytest.fixture
async def ref(vault: Vault) -> SessionRef:
    """Give a session with one field."""
    ref = SessionCookie.new().ref
    note = {"note": Field(b"hi", NOW + 60)}
    assert await vault.create(ref, note, idle=IDLE, secret=SECRET, indexing=Indexing([], NOW, ABSOLUTE))
    return ref


async def holder(vault: Vault, ref: SessionRef, name: str = "work") -> bytes | None:
    """Return the mark of whoever holds a lock."""
    mark: bytes | None = await vault.redis.get(lock_key(ref, name))
    return mark


async def test_R11_a_lease_brings_what_it_protects_and_ends_with_the_work(
    vault: Vault, ref: SessionRef
) -> None:
    async with lease(vault, ref, "work", fields=["note", "absent"]) as held:
        assert await holder(vault, ref) == held.mark.encode()
        assert len(held.mark) == 32
        assert held.name == "work"
        assert not held.released
        assert set(held.stored) == {"note", "absent", SEEN}
        note = vault.open(ref, "note", held.stored["note"], secret=SECRET)
        assert note
        assert note.value == b"hi"
        assert held.stored["absent"] is None
        left: int = await vault.redis.pttl(lock_key(ref, "work"))
        assert 0 < left <= LEASE_SECONDS * 1000

    assert await holder(vault, ref) is None


async def test_R11_each_try_to_take_it_waits_for_a_turn_and_neither_the_pause_nor_the_work_does(
    vault: Vault, ref: SessionRef
) -> None:
    turns, may_go_on, works = 0, asyncio.Event(), asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await may_go_on.wait()

    async def second() -> None:
        async with lease(vault, ref, "work", turn=turn):
            works.set()
            await asyncio.sleep(0)

    waiting = asyncio.create_task(second())
    await asyncio.sleep(0)
    # Whoever waits for a turn has not tried.
    async with lease(vault, ref, "work"):
        may_go_on.set()
        while turns < 2:  # noqa: ASYNC110 - the tries tell nobody
            await asyncio.sleep(0.005)
        assert not works.is_set()
    await waiting

    assert works.is_set()
    assert turns > 2


async def test_R11_only_one_works_at_a_time_and_each_in_turn(vault: Vault, ref: SessionRef) -> None:
    working = 0
    marks: set[str] = set()

    async def work() -> None:
        nonlocal working
        async with lease(vault, ref, "work") as held:
            working += 1
            assert working == 1
            marks.add(held.mark)
            await asyncio.sleep(0)
            working -= 1

    await asyncio.gather(*(work() for _ in range(8)))
    assert len(marks) == 8


async def test_R11_whoever_waits_too_long_is_told_so_and_the_holder_goes_on(
    vault: Vault, ref: SessionRef
) -> None:
    async with lease(vault, ref, "work") as held:
        for wait in (0, 0.1):
            with pytest.raises(LeaseTaken):
                async with lease(vault, ref, "work", wait=wait):
                    pass
        assert await holder(vault, ref) == held.mark.encode()
        async with lease(vault, ref, "other work", wait=0):
            assert await holder(vault, ref, "other work")


async def test_R11_work_that_fails_or_is_cancelled_lets_go(vault: Vault, ref: SessionRef) -> None:
    with pytest.raises(ZeroDivisionError):
        async with lease(vault, ref, "work"):
            raise ZeroDivisionError
    assert await holder(vault, ref) is None

    started = asyncio.Event()

    async def work() -> None:
        async with lease(vault, ref, "work"):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await holder(vault, ref) is None


async def test_R11_a_lease_is_renewed_while_the_work_takes_long_by_its_holder_alone(
    vault: Vault, ref: SessionRef, way_to_redis: RequestProxy[Command]
) -> None:
    stumbles, lost = lock_key(ref, "stumbles"), lock_key(ref, "lost")
    renewed = way_to_redis.watch(
        lambda command: runs(RENEW)(command) and stumbles not in command.keys, answered=True
    )
    stumbled = way_to_redis.refuse(
        lambda command: runs(RENEW)(command) and stumbles in command.keys, NOT_NOW, times=None
    )

    async with (
        lease(vault, ref, "work") as held,
        lease(vault, ref, "stumbles"),
        lease(vault, ref, "lost"),
    ):
        await vault.redis.pexpire(lock_key(ref, "work"), 60_000)
        await vault.redis.set(lost, "another's")
        await renewed.reached(2)
        await stumbled.reached()
        arguments = {command.arguments for command in renewed.met if lost not in command.keys}
        assert arguments == {(held.mark.encode(), b"6000")}
        assert 0 < await vault.redis.pttl(lock_key(ref, "work")) <= LEASE_SECONDS * 1000

    assert await holder(vault, ref, "lost") == b"another's"
    assert await holder(vault, ref) is None


async def test_R11_a_lease_that_was_let_go_of_with_a_write_is_not_let_go_of_again(
    vault: Vault, ref: SessionRef, way_to_redis: RequestProxy[Command]
) -> None:
    released = way_to_redis.watch(runs(RELEASE))
    async with lease(vault, ref, "work") as held:
        held.released = True

    assert released.met == []


async def test_R2_a_redis_that_fails_before_the_lease_is_held_says_so(
    vault: Vault, ref: SessionRef, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.refuse(runs(CLAIM), NOT_NOW, times=None)

    with pytest.raises(SessionStoreUnavailable):
        async with lease(vault, ref, "work"):
            pass


async def test_R12_a_redis_that_fails_to_let_go_costs_nobody_the_work(
    vault: Vault, ref: SessionRef, way_to_redis: RequestProxy[Command]
) -> None:
    way_to_redis.refuse(runs(RELEASE), NOT_NOW, times=None)

    async with lease(vault, ref, "work"):
        pass

    assert 0 < await vault.redis.pttl(lock_key(ref, "work")) <= LEASE_SECONDS * 1000, "it ends by itself"


async def test_R11_a_lease_on_a_session_that_has_ended_brings_nothing(vault: Vault, ref: SessionRef) -> None:
    await vault.ends.end(ref, "signed-out")

    async with lease(vault, ref, "work", fields=["note"]) as held:
        assert held.stored == {"note": None, SEEN: None}
