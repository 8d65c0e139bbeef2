"""No version below the least one: in the lock files, and in what an installation of the wheel may choose."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from supply_chain.floors import FLOORS, below_their_floor
from supply_chain.locks import DEVELOPMENT, LOCAL, RUN, Package, python_packages
from tests.stage.sources import ROOT


@pytest.mark.parametrize("lock", [RUN, LOCAL, DEVELOPMENT])
def test_A7_S58_no_locked_version_is_below_its_floor(lock: str) -> None:
    packages = python_packages(ROOT, lock)

    assert list(below_their_floor(packages.values())) == []
    assert packages.keys() >= FLOORS.keys() - ({"authlib"} if lock != DEVELOPMENT else set())


def test_A7_S58_what_the_wheel_asks_for_begins_at_the_floor() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {one.name: one.specifier for one in map(Requirement, project["dependencies"])}

    for name in FLOORS.keys() & asked.keys():
        least = max(Version(one.version) for one in asked[name] if one.operator == ">=")
        assert least >= Version(FLOORS[name][0]), name


@pytest.mark.parametrize(
    "name, version",
    [
        ("pyjwt", "2.15.0"),
        ("pyjwt", "2.9.9"),
        ("pyjwt", "2.15.1rc1"),
        ("redis", "4.5.4"),
        ("aiohttp", "3.14.2"),
    ],
)
def test_A7_S58_a_planted_version_below_its_floor_is_told_with_the_reason(name: str, version: str) -> None:
    (line,) = below_their_floor([Package(name, version, ())])

    assert re.match(rf"{name} {re.escape(version)} is below \d+\.\d+.*: (GHSA|CVE)-", line)


@pytest.mark.parametrize("name, version", [("pyjwt", "2.15.1"), ("pyjwt", "10.0"), ("somebody-else", "0.1")])
def test_A7_S58_a_version_from_its_floor_on_is_none_of_the_table_s_business(name: str, version: str) -> None:
    assert list(below_their_floor([Package(name, version, ())])) == []
