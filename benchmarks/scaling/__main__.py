"""Print what so many people come to, and how evenly their sessions lie in a cluster.

    python -m benchmarks.scaling [--people 1000 1000000 100000000] [--sign-ins-a-day 1] [--slots] [--write]

Habits are options by the names of `habits.py`; with `--slots`, a million sessions are made up and laid on the slots.
`--write` draws the tables of docs/explanation/scaling.md anew, after a figure of `measured.py` has changed.
"""

import argparse
from dataclasses import fields
from typing import Final

from benchmarks.scaling.habits import Habits
from benchmarks.scaling.slots import by_servers, by_slots, keys_of_sessions, spread
from benchmarks.scaling.tables import PEOPLE, drawn_into, limits, loads, prices, sizes
from devstack.stack import ROOT

PAGE: Final = ROOT / "docs" / "explanation" / "scaling.md"
SESSIONS: Final = 1_000_000


def main() -> None:
    """Read the options, compute and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=list(PEOPLE))
    parser.add_argument("--slots", action="store_true")
    parser.add_argument("--write", action="store_true")
    for habit in fields(Habits):
        parser.add_argument(f"--{habit.name.replace('_', '-')}", type=float, default=habit.default)
    arguments = vars(parser.parse_args())
    people, slots, write = (arguments.pop(name) for name in ("people", "slots", "write"))
    habits = Habits(**arguments)
    print(prices(), loads(people, habits), sizes(people, habits), limits(habits), sep="\n\n")
    if write:
        PAGE.write_text(drawn_into(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    if slots:
        print(slots_table())


def slots_table() -> str:
    """Lay made-up sessions on slots and servers, and return how even they are."""
    counts = by_slots(keys_of_sessions(SESSIONS))
    rows = [
        f"\n| {SESSIONS:,} sessions on | mean | deviation | the emptiest | the fullest |",
        "|---|---|---|---|---|",
    ]
    for name, parts in (
        ("16,384 slots", list(counts)),
        *((f"{servers} masters", by_servers(counts, servers)) for servers in (3, 6, 12, 60)),
    ):
        even = spread(parts)
        rows.append(
            f"| {name} | {even.mean:,.0f} | {even.deviation:.2%} | {even.emptiest:.3f} | {even.fullest:.3f} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
