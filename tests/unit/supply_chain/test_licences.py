"""Every package has a licence that is taken, and the page says which."""

from pathlib import Path

import pytest

from supply_chain.licence_page import PAGE, page
from supply_chain.licences import TABLE, TAKEN, is_taken, licence_faults
from supply_chain.locks import DEVELOPMENT, LOCAL, NPM, RUN
from tests.stage.sources import ROOT


def test_A7_S58_every_package_is_under_a_licence_that_is_taken() -> None:
    assert list(licence_faults(ROOT)) == []


def test_A7_S58_the_page_of_licences_is_drawn_from_the_files_of_today() -> None:
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page(ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Make a working copy of what licences are read from."""
    for name in (RUN, LOCAL, DEVELOPMENT, *NPM, str(TABLE)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "line, other, fault",
    [
        ('msal = "MIT"\n', "", "msal has no licence"),
        ('msal = "MIT"\n', 'msal = "SSPL-1.0"\n', "msal is under SSPL-1.0, which is not taken."),
        ('msal = "MIT"\n', 'msal = "ISC"\n', "msal says MIT of itself, and "),
        ('msal = "MIT"\n', 'msal = "MIT"\nleft-pad = "MIT"\n', "left-pad is in "),
        # What checks may be under is not what runs may be under.
        (
            'yarl = "Apache-2.0"\n',
            'yarl = "BlueOak-1.0.0"\n',
            "yarl is under BlueOak-1.0.0, which is not taken.",
        ),
    ],
)
def test_A7_S58_a_planted_licence_is_told(copy: Path, line: str, other: str, fault: str) -> None:
    table = (copy / TABLE).read_text(encoding="utf-8")
    assert line in table
    (copy / TABLE).write_text(table.replace(line, other), encoding="utf-8")

    assert [one for one in licence_faults(copy) if one.startswith(fault)]


def test_A7_S58_a_package_of_npm_without_a_licence_is_told(copy: Path) -> None:
    lock = (copy / NPM[0]).read_text(encoding="utf-8")
    (copy / NPM[0]).write_text(lock.replace('"license": "MIT"', '"license": ""', 1), encoding="utf-8")

    assert len(list(licence_faults(copy))) == 1


@pytest.mark.parametrize(
    "expression, taken",
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-or-later OR MIT", True),
        ("GPL-3.0-or-later AND MIT", False),
        ("GPL-3.0-or-later", False),
        ("MIT AND (GPL-3.0-only OR ISC)", False),
        ("", False),
        ("UNKNOWN", False),
    ],
)
def test_A7_S58_of_several_licences_one_to_choose_or_all_together_must_be_taken(
    *, expression: str, taken: bool
) -> None:
    assert is_taken(expression, TAKEN["run"]) is taken
