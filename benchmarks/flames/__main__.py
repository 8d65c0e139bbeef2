"""Draw where a request's computing time goes: flame graphs, and a budget in microseconds by parts.

Runs the product under a load by wrk, once to see what a request takes, and once more while py-spy looks at the
gateway's stacks. The picture is of shares alone, so a busy computer does it no harm; the microseconds are of this
computer and of now.

    python -m benchmarks.flames [--seconds 10] [--save NAME]

With `--save before`, pictures are written to benchmarks/flames/pictures as `session-before.svg` and so on.
"""

import argparse
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from benchmarks.flames.parts import PARTS, shares
from benchmarks.flames.picture import drawn
from benchmarks.flames.stacks import Stack, of_the_main_thread, read
from benchmarks.peers.installed import NotInstalledError, python_packages
from benchmarks.peers.measured import Pace, in_turns
from benchmarks.peers.peer import W1, W2, Peer
from benchmarks.peers.stepup import PROFILE, gateway
from benchmarks.peers.surroundings import surroundings
from benchmarks.peers.wrk import MissingProgramError, loaded

HERE: Final = Path(__file__).parent
PICTURES: Final = HERE / "pictures"
WORKS: Final = {"session": W1, "row": W2, "profile": PROFILE}
MEASURED, OTHERS, CONNECTIONS = 0, 1, 64
_RATE: Final = 250
"""Samples a second."""
_MARGIN: Final = 2
"""Seconds for which the load begins before the looking, and goes on after it."""


def sampled(running: Peer, work: str, seconds: int, spy: Path, folder: Path) -> Counter[Stack]:
    """Look at the gateway's stacks while it is asked for something."""
    long_enough = seconds + 2 * _MARGIN
    load = threading.Thread(
        target=lambda: loaded(
            running.addresses[work],
            running.headers,
            seconds=long_enough,
            connections=CONNECTIONS,
            core=OTHERS,
        )
    )
    load.start()
    raw = folder / "stacks"
    try:
        subprocess.run(  # noqa: S603 -- py-spy, from our lock file
            [
                *(str(spy), "record", "--pid", str(running.pid), "--rate", str(_RATE), "--function"),
                *("--duration", str(seconds), "--format", "raw", "--output", str(raw)),
            ],
            check=True,
            capture_output=True,
            timeout=seconds + 60,
        )
    finally:
        load.join()
    return of_the_main_thread(read(raw.read_text(encoding="utf-8").splitlines()))


def main() -> int:
    """Measure, print the budgets, and draw the pictures where they are wanted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--save", metavar="NAME", default="")
    arguments = parser.parse_args()
    pace = Pace(arguments.seconds, 1, CONNECTIONS, OTHERS)
    budgets: dict[str, dict[str, float]] = {}
    try:
        spy = python_packages("flames", HERE / "requirements.lock") / "py-spy"
        with surroundings(MEASURED, OTHERS) as around, gateway(around) as running:
            measured = in_turns({"stepup": running}, pace, lambda _: None)
            took = {series.work: series.turns[0].microseconds for series in measured}
            for name, work in WORKS.items():
                stacks = sampled(running, work, arguments.seconds, spy, around.folder)
                budgets[name] = {part: share * took[work] for part, share in shares(stacks).items()}
                if arguments.save:
                    title = f"GET {urlsplit(running.addresses[work]).path}, {arguments.save}: "
                    title += f"{took[work]:.0f} µs of computing a request"
                    PICTURES.mkdir(exist_ok=True)
                    file = PICTURES / f"{name}-{arguments.save}.svg"
                    file.write_text(drawn(stacks, title), encoding="utf-8")
    except (NotInstalledError, MissingProgramError) as why:
        sys.exit(f"No flame graph here: {why}")
    print(table(budgets))
    return 0


def table(budgets: dict[str, dict[str, float]]) -> str:
    """Return the budgets as a table of the README."""
    rows = [f"| µs of computing a request | {' | '.join(budgets)} |", "|---|" + "---|" * len(budgets)]
    for part, meaning in PARTS.items():
        figures = " | ".join(f"{budget[part]:.0f}" for budget in budgets.values())
        rows.append(f"| {part}: {meaning} | {figures} |")
    wholes = " | ".join(f"{sum(budget.values()):.0f}" for budget in budgets.values())
    return "\n".join([*rows, f"| together | {wholes} |"])


if __name__ == "__main__":
    sys.exit(main())
