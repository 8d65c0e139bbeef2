"""How soon people are served who all come back when their tokens have ended.

Runs row L6b of the game day with as many people as are asked for, against the product as processes: each looks at their
profile at the same moment, and a token request takes 300 ms.

    python -m benchmarks.bench_expiry [--people 1000]

A person is a connection: more than some 900 need `ulimit -n` above 1,024.
"""

import argparse
import asyncio

from benchmarks.game_day.authority import AT_EXPIRY, everybody_at_expiry
from benchmarks.game_day.report import Report, Size


async def people_at_expiry(people: int = 1000) -> Report:
    """Let so many tokens end at once, and return what their people saw."""
    report = Report("L6b", f"{people} tokens end at the same moment")
    await everybody_at_expiry(report, Size(people / AT_EXPIRY))
    return report


def main() -> None:
    """Measure as the command line asks, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--people", type=int, default=1000)
    print(asyncio.run(people_at_expiry(parser.parse_args().people)).drawn())


if __name__ == "__main__":
    main()
