"""What a comparison came to: a table for people, or JSON for programs, with the machine and the date it is true of."""

import datetime as dt
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.peers.measured import Pace, Series, bare_of

COLUMNS: Final = (
    "who",
    "work",
    "requests a second",
    "of bare",
    "of bare by computing",
    "p50, ms",
    "p99, ms",
    "computing, µs",
    "its store's, µs",
    "versions",
)
Missing = Mapping[str, str]
"""Why a peer was not measured, by its name."""


def table(all_series: Sequence[Series], missing: Missing, pace: Pace, now: dt.datetime) -> str:
    """Return a table in Markdown; what could not be measured is named with its reason."""
    bare = bare_of(all_series)
    loads = f"{pace.connections} connections, {pace.turns} turns of {pace.seconds} s"
    return "\n".join(
        [
            f"{now:%Y-%m-%d}, {machine()}: {loads}, each peer on one core, everything else on another.",
            "",
            _row(COLUMNS),
            _row(["---"] * len(COLUMNS)),
            *(_row(_cells(series, bare)) for series in all_series),
            *(
                _row([name, f"not measured: {reason}", *[""] * (len(COLUMNS) - 2)])
                for name, reason in missing.items()
            ),
        ]
    )


def _cells(series: Series, bare: Series | None) -> list[str]:
    bad = sum(turn.load.bad for turn in series.turns)
    return [
        series.peer,
        series.work,
        f"{series.middle(lambda turn: turn.load.per_second):,.0f}" + (f" ({bad} bad)" if bad else ""),
        _part(series.ratio(bare)),
        _part(series.ratio_of_computing(bare)),
        f"{series.middle(lambda turn: turn.load.p50):.1f}",
        f"{series.middle(lambda turn: turn.load.p99):.1f}",
        f"{series.middle(lambda turn: turn.microseconds):.0f}",
        _of_store(series),
        series.versions,
    ]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _part(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _of_store(series: Series) -> str:
    figures = [turn.of_store for turn in series.turns if turn.of_store is not None]
    return f"{median(figures):.0f}" if figures else "-"


def document(all_series: Sequence[Series], missing: Missing, pace: Pace, now: dt.datetime) -> dict[str, Any]:
    """Return the same for programs, turn by turn."""
    bare = bare_of(all_series)
    return {
        "date": now.isoformat(timespec="seconds"),
        "machine": machine(),
        "pace": asdict(pace),
        "measured": [
            {
                **asdict(series),
                "of_bare": series.ratio(bare),
                "of_bare_by_computing": series.ratio_of_computing(bare),
            }
            for series in all_series
        ],
        "missing": dict(missing),
    }


def as_json(all_series: Sequence[Series], missing: Missing, pace: Pace, now: dt.datetime) -> str:
    """Return that as text."""
    return json.dumps(document(all_series, missing, pace, now), indent=2)


def machine() -> str:
    """Say on what it ran: processor, cores, system, Python, and how much else was under way."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the end"
    )
