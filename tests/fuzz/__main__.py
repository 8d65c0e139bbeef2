"""`python -m tests.fuzz`: search for long, and keep what is found as a file of the corpus.

Ends with 1 where something was found. The file is replayed by every run of the tests from then on.
"""

import argparse
import hashlib
import secrets
import sys

from tests.fuzz.search import search_for
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Search as the command line says; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Search for inputs that break promises."
    )
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], help="all of them, where none is named")
    parser.add_argument("--minutes", type=float, default=10, help="for each target (10)")
    parser.add_argument("--seed", type=int, default=None, help="repeats a search")
    given = parser.parse_args()
    chance = secrets.randbelow(1 << 32) if given.seed is None else given.seed
    print(f"seed {chance}")
    found = 0
    for name in given.targets or TARGETS:
        target = TARGETS[name]
        tried, finding = search_for(target, given.minutes * 60, chance=chance)
        if finding is None:
            print(f"{name}: {tried:,} inputs, and each time {target.promise}", flush=True)
            continue
        found += 1
        path = target.keep(f"found-{hashlib.sha256(finding.data).hexdigest()[:10]}", finding.data)
        print(
            f"{name}: {finding.data!r}\n  {type(finding.fault).__name__}: {finding.fault}\n  kept as {path}",
            flush=True,
        )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
