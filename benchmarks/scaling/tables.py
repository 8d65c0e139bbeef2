"""The tables of `docs/explanation/scaling.md`, drawn from the formulas; a test holds the page against them."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.scaling import measured
from benchmarks.scaling.habits import Habits, Load, load_of
from benchmarks.scaling.limits import in_order
from benchmarks.scaling.measured import Size, size_of

PEOPLE: Final = (1_000, 1_000_000, 100_000_000)


def loads(people: Sequence[int], habits: Habits) -> str:
    """Return what people do in the busiest minute."""
    rows: tuple[tuple[str, Callable[[Load], float]], ...] = (
        ("sign-ins a second", lambda load: load.sign_ins),
        ("step-ups a second", lambda load: load.step_ups),
        ("requests a second", lambda load: load.requests),
        ("refreshes a second", lambda load: load.refreshes),
        ("sessions in Redis", lambda load: load.sessions),
        ("open streams", lambda load: load.streams),
    )
    found = [load_of(count, habits) for count in people]
    return _by_people("people", people, [(name, [figure(load) for load in found]) for name, figure in rows])


def sizes(people: Sequence[int], habits: Habits) -> str:
    """Return what that takes."""
    rows: tuple[tuple[str, Callable[[Size], float]], ...] = (
        ("gateway cores", lambda size: size.cores),
        ("commands to Redis a second", lambda size: size.redis_commands),
        ("GB of sessions in Redis", lambda size: size.redis_gigabytes),
        ("masters of Redis", lambda size: size.redis_masters),
        ("GB of open connections in all gateways", lambda size: size.connection_gigabytes),
        ("token requests a second", lambda size: size.token_requests),
        ("requests a second as Entra counts them", lambda size: size.authority_requests),
        ("addresses to ask from, by Entra's limit for one", lambda size: size.addresses),
    )
    found = [size_of(load_of(count, habits)) for count in people]
    return _by_people("size", people, [(name, [figure(size) for size in found]) for name, figure in rows])


def prices() -> str:
    """Return what was measured of one of each."""
    rows = (
        ("a sign-in", measured.SIGN_IN),
        ("a step-up", measured.STEP_UP),
        ("an edit that is saved", measured.SAVE),
        ("a token that is renewed", measured.REFRESH),
        ("who is signed in (W1)", measured.SESSION),
        ("a read with the token attached (W2)", measured.ROW),
    )
    drawn = [
        f"| {name} | {price.microseconds:,.0f} | {price.commands:g} | {price.token_requests:g} "
        f"| {price.authority_requests:g} |"
        for name, price in rows
    ]
    head = (
        "| price | µs of a gateway's core | commands to Redis | token requests | requests as Entra counts |"
    )
    return "\n".join([head, "|---|---|---|---|---|", *drawn])


def limits(habits: Habits) -> str:
    """Return what breaks first, in its order."""
    rows = [f"| {limit.what} | {_shown(people)} | {limit.turn} |" for limit, people in in_order(habits)]
    return "\n".join(["| limit | met by so many people | what to turn |", "|---|---|---|", *rows])


def drawn_into(page: str) -> str:
    """Return the page with its tables as they are now; each is known by the first word of its head."""
    habits = Habits()
    for table in (prices(), loads(PEOPLE, habits), sizes(PEOPLE, habits), limits(habits)):
        first = table.partition(" |")[0]
        page, found = re.subn(
            rf"^{re.escape(first)} \|.*?(?=\n\n)",
            lambda _, table=table: table,  # type: ignore[misc]  # bound at once
            page,
            count=1,
            flags=re.MULTILINE | re.DOTALL,
        )
        assert found, f"the page has no table that begins with {first!r}"
    return page


def _by_people(name: str, people: Sequence[int], rows: Sequence[tuple[str, Sequence[float]]]) -> str:
    head = [f"| {name} | {' | '.join(f'{count:,}' for count in people)} |", "|---|" + "---|" * len(people)]
    return "\n".join([*head, *(f"| {name} | {' | '.join(map(_shown, row))} |" for name, row in rows)])


def _shown(figure: float) -> str:
    """Write two digits of a figure, and all of a small whole one."""
    if figure == int(figure) and figure < 1000:
        return f"{figure:.0f}"
    if figure < 10:
        return f"{figure:.2g}"
    return f"{round(figure, 2 - len(f'{figure:.0f}')):,.0f}"
