"""docs/explanation/reliability.md has a figure for each row of the game day, or says that it was held all along."""

import re
from typing import Final

from benchmarks.game_day.rows import ROWS
from tests.stage.sources import ROOT

SECTION: Final = (
    (ROOT / "docs/explanation/reliability.md")
    .read_text(encoding="utf-8")
    .split("\n## The game day\n")[1]
    .split("\n## ")[0]
)


def test_each_row_has_its_figures_in_their_order() -> None:
    told = re.findall(r"^\| (L\d+[a-c]?) \| .+ \| .+ \| .+ \|$", SECTION, re.MULTILINE)

    assert told == [name for name in ROWS if name.startswith("L")]


def test_the_other_rows_are_named() -> None:
    (sentence,) = (line for line in SECTION.splitlines() if line.startswith("The other rows"))

    assert re.findall(r"R\d+", sentence) == [name for name in ROWS if name.startswith("R")]
