"""docs/reference/conformance.md lists what runs, and what runs is listed."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.product.test_backchannel import MODULES as BACK_CHANNEL
from tests.product.test_rp_conformance import MODULES

PAGE: Final = (Path(__file__).parents[2] / "docs/reference/conformance.md").read_text(encoding="utf-8")
RUN: Final = {*MODULES, *BACK_CHANNEL}


def modules_in(title: str) -> list[str]:
    """Return the modules named in the first column of a section's table."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return [name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize(
    "title, ran",
    [
        (
            "OpenID Connect Core, Discovery, RP-Initiated and Front-Channel Logout",
            [module for module in MODULES if module.startswith("oidcc-")],
        ),
        ("Back-Channel Logout", list(BACK_CHANNEL)),
        ("FAPI 2.0 Security Profile", [module for module in MODULES if module.startswith("fapi2-")]),
    ],
)
def test_a_section_lists_the_modules_that_run(title: str, ran: list[str]) -> None:
    assert modules_in(title) == ran


def test_no_module_both_runs_and_does_not_apply() -> None:
    assert not RUN & {*modules_in("What does not apply")}


def test_the_page_counts_right() -> None:
    match = re.search(r"^(\d+) modules pass: (\d+) of .*?, (\d+) of .*?, (\d+) of ", PAGE, re.MULTILINE)
    assert match
    fapi = sum(module.startswith("fapi2-") for module in MODULES)

    assert [int(count) for count in match.groups()] == [
        len(RUN),
        len(MODULES) - fapi,
        len(BACK_CHANNEL),
        fapi,
    ]
