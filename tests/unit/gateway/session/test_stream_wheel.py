"""Who looks at a session and when: few side by side, each when its session changed, and nobody in a crowd."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from gateway.errors import SessionStoreUnavailable
from gateway.session.stream_wheel import Seat, StreamWheel
from gateway.store.hints import hint_name
from gateway.store.names import SessionRef
from gateway.store.vault import Vault
from tests.stage.patience import PATIENCE
from tests.stage.tenant import MovableClock

SIDE_BY_SIDE = 4
Take = Callable[..., StreamWheel]


class Looking(Seat):
    """A seat whose looks a test holds up, or lets fail."""

    def __init__(self, number: int, side_by_side: list[int]) -> None:
        super().__init__(SessionRef(f"{number:022}", f"{number:064x}"))
        self.looks = 0
        self.spoken = 0
        self.faults: list[Exception] = []
        self.fault: Exception | None = None
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._side_by_side = side_by_side
        self._is_at_it = False

    async def look(self) -> None:
        assert not self._is_at_it, "nobody looks twice at once"
        self._is_at_it = True
        self._side_by_side.append(self._side_by_side[-1] + 1)
        await asyncio.sleep(0)
        await self.may_go_on.wait()
        self._side_by_side.append(self._side_by_side[-1] - 1)
        self._is_at_it = False
        self.looks += 1
        if self.fault:
            raise self.fault
        self.mark = (None, None)

    def speak(self, now: float) -> None:
        self.spoken += 1
        self.speaks_at = now + 15

    def fail(self, fault: Exception) -> None:
        self.faults.append(fault)

    @property
    def name(self) -> str:
        """What a hint calls its session."""
        return hint_name(self.ref.family)


@pytest.fixture
async def take(vault: Vault, clock: MovableClock) -> AsyncIterator[Take]:
    """Make wheels, and stop them at the end."""
    wheels: list[StreamWheel] = []

    def make(look: float = 0.05, looks_a_second: float = 10_000) -> StreamWheel:
        wheel = StreamWheel(
            vault,
            now=clock,
            monotonic=clock,
            look=look,
            rarely=3600,
            looks_at_once=SIDE_BY_SIDE,
            looks_a_second=looks_a_second,
        )
        wheels.append(wheel)
        return wheel

    yield make
    for wheel in wheels:
        wheel.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)


async def seated(wheel: StreamWheel, count: int) -> tuple[list[Looking], list[int]]:
    """Give seats that have looked once, as their marks were not known, and who looked side by side."""
    side_by_side = [0]
    seats = [Looking(number, side_by_side) for number in range(count)]
    for seat in seats:
        wheel.join(seat)
    await until(lambda: all(seat.looks for seat in seats))
    return seats, side_by_side


async def test_L15_where_all_sessions_change_at_once_all_look_and_few_of_them_side_by_side(
    take: Take,
) -> None:
    wheel = take()
    seats, side_by_side = await seated(wheel, 300)
    before = [seat.looks for seat in seats]

    for seat in seats:
        wheel.hint(seat.name)
    await until(lambda: all(seat.looks > looks for seat, looks in zip(seats, before, strict=True)))

    assert max(side_by_side) == SIDE_BY_SIDE


async def test_L15_looks_keep_to_a_pace_and_one_alone_is_not_held_up(take: Take) -> None:
    wheel = take(look=3600, looks_a_second=SIDE_BY_SIDE / 1000)  # each of the four that look rests long
    side_by_side = [0]
    seats = [Looking(number, side_by_side) for number in range(3 * SIDE_BY_SIDE)]
    for seat in seats:
        wheel.join(seat)
        wheel.hint(seat.name)
    await until(lambda: sum(seat.looks for seat in seats) >= SIDE_BY_SIDE)
    for _ in range(50):
        await asyncio.sleep(0)
    assert sum(seat.looks for seat in seats) == SIDE_BY_SIDE, "the others wait for their turn"


async def test_L15_who_is_hinted_while_it_looks_looks_again_and_never_twice_at_once(take: Take) -> None:
    wheel = take()
    (seat, *_), _ = await seated(wheel, 2)
    await until(lambda: seat.looked < wheel._turn)
    looks = seat.looks

    seat.may_go_on.clear()
    wheel.hint(seat.name)
    turn = wheel._turn
    await until(lambda: wheel._turn > turn + 1)
    wheel.hint(seat.name)
    await asyncio.sleep(0)
    seat.may_go_on.set()

    await until(lambda: seat.looks >= looks + 2)


async def test_L15_hints_without_end_are_one_look_in_a_turn(take: Take) -> None:
    wheel = take(look=3600)
    side_by_side = [0]
    seat = Looking(1, side_by_side)
    wheel.join(seat)

    for _ in range(1000):
        wheel.hint(seat.name)
    await until(lambda: seat.looks == 1)
    for _ in range(50):
        await asyncio.sleep(0)

    assert seat.looks == 1


async def test_a_seat_that_fails_is_told_so_and_the_others_go_on(take: Take) -> None:
    wheel = take()
    (bad, good), _ = await seated(wheel, 2)
    bad.fault = ZeroDivisionError()

    for seat in (bad, good):
        seat.changes_at = -1
    looks = good.looks
    await until(lambda: good.looks > looks + 2 and bool(bad.faults))

    assert all(isinstance(fault, ZeroDivisionError) for fault in bad.faults)


async def test_R2_who_looks_in_vain_is_asked_again_in_one_of_the_next_turns_and_not_all_in_one(
    take: Take,
) -> None:
    wheel = take(look=5)  # with turns of a second: five of them in an interval
    side_by_side = [0]
    seats = [Looking(number, side_by_side) for number in range(200)]
    for seat in seats:
        seat.fault = SessionStoreUnavailable("TimeoutError")
        wheel.join(seat)
        wheel.hint(seat.name)
    await until(lambda: all(seat.looks for seat in seats))

    later = [seat.asked_again - wheel._turn for seat in seats]

    assert set(later) <= set(range(6))
    assert len(set(later)) >= 4, "spread over the interval"
    assert not any(seat.faults for seat in seats), "a store that is away ends nobody"


async def test_who_left_neither_looks_nor_speaks_any_more(take: Take, clock: MovableClock) -> None:
    wheel = take()
    (stays, leaves), _ = await seated(wheel, 2)
    wheel.leave(leaves)
    wheel.leave(leaves)
    looks = leaves.looks

    stays.speaks_at = leaves.speaks_at = clock.now
    stays.changes_at = leaves.changes_at = -1
    wheel.hint(leaves.name)
    before = stays.looks
    await until(lambda: stays.looks > before + 1)
    stays.changes_at = clock.now + 3600
    await until(lambda: stays.spoken > 0)

    assert (leaves.looks, leaves.spoken) == (looks, 0)
