"""The game day: runs the fault table against the product as processes, and prints what happened.

Everything is on loopback and on free ports; only what it started is stopped, and nothing is left behind. Ends with 1
where a promise is not held, with 2 where there is no such row.

    python -m benchmarks.game_day [ROW …] [--json] [--part 1]
"""

import argparse
import asyncio
import json
import resource
import sys
import time

from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.rows import ROWS

_ROW_SECONDS = 60.0
_DESCRIPTORS = 8_192


async def happened(row: Row, size: Size) -> Report:
    """Let one row happen, for a minute at most; what breaks it is a promise that is not held."""
    report = Report(row.id, row.fault)
    began = time.monotonic()
    try:
        async with asyncio.timeout(_ROW_SECONDS):
            await row.run(report, size)
    except TimeoutError:
        report.promise("the row ends within a minute", held=False, seen="it did not")
    except Exception as error:  # noqa: BLE001 - whatever it is, the other rows go on
        report.promise("the row runs to its end", held=False, seen=f"{type(error).__name__}: {error}"[:400])
    report.seconds = time.monotonic() - began
    return report


def _make_room_for_connections() -> None:
    """Let this process open more than the usual 1,024 descriptors."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(usual, min(most, _DESCRIPTORS)), most))


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.game_day",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="ids of rows; without one, all of them")
    parser.add_argument("--json", action="store_true", help="print a list of reports as JSON")
    parser.add_argument("--list", action="store_true", help="only name the rows")
    parser.add_argument(
        "--part", type=float, default=1, help="how large the loads are, as a part of the usual"
    )
    asked = parser.parse_args(arguments)
    unknown = sorted(set(asked.rows) - set(ROWS))
    if unknown:
        print(f"There is no row {', '.join(unknown)}. The rows are {', '.join(ROWS)}.", file=sys.stderr)
        return 2
    chosen = [ROWS[name] for name in asked.rows or ROWS]
    if asked.list:
        print("\n".join(f"{row.id:4} {row.fault}" for row in chosen))
        return 0
    _make_room_for_connections()
    reports: list[Report] = []
    for row in chosen:
        report = asyncio.run(happened(row, Size(asked.part)))
        reports.append(report)
        if not asked.json:
            print(report.drawn(), flush=True)
    if asked.json:
        print(json.dumps([report.as_json() for report in reports], indent=2, ensure_ascii=False))
    else:
        broken = [report.row for report in reports if not report.held]
        print(
            f"{len(reports) - len(broken)} of {len(reports)} rows held"
            + (f"; not {', '.join(broken)}" if broken else "")
        )
    return 0 if all(report.held for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
