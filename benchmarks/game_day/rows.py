"""All rows of the game day, by their ids."""

from typing import Final

from benchmarks.game_day import (
    authority,
    clocks,
    graph,
    load,
    logs,
    processes,
    rolling_restart,
    store,
    store_set_up,
    writes,
)
from benchmarks.game_day.report import Row

_KINDS: Final = (
    load.ROWS,
    clocks.ROWS,
    writes.ROWS,
    authority.ROWS,
    graph.ROWS,
    processes.ROWS,
    rolling_restart.ROWS,
    logs.ROWS,
    store_set_up.ROWS,
    store.ROWS,
)


def _place(row: Row) -> tuple[str, int, str]:
    digits = "".join(letter for letter in row.id if letter.isdigit())
    return row.id[0], int(digits), row.id


ROWS: Final[dict[str, Row]] = {
    row.id: row for row in sorted((row for kind in _KINDS for row in kind), key=_place)
}
