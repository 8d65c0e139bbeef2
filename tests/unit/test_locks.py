"""The lock files belong together, name every file by its hash, and say of no machine where it got them."""

import re
import tomllib
from typing import Any, Final

import pytest

from tests.stage.sources import ROOT

FILES: Final = ("requirements.lock", "requirements-local.lock", "requirements-dev.lock")
LOCK: Final[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
PACKAGES: Final = {package["name"]: package for package in LOCK["package"]}


def installed(file: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Return the packages of a file that is installed, with their version and the hashes that may be downloaded."""
    text = (ROOT / file).read_text(encoding="utf-8").replace("\\\n", " ")
    versions: dict[str, tuple[str, frozenset[str]]] = {}
    for line in filter(None, text.splitlines()):
        name, version = re.split("==", line.split()[0])
        versions[name] = (version, frozenset(re.findall(r"--hash=(sha256:[0-9a-f]{64})", line)))
    return versions


def resolved(*wanted: dict[str, Any]) -> set[str]:
    """Return the packages that requirements of uv.lock bring along."""
    names: set[str] = set()
    ahead = list(wanted)
    while ahead:
        one = ahead.pop()
        package = PACKAGES[one["name"]]
        extras = [
            entry for extra in one.get("extra", ()) for entry in package["optional-dependencies"][extra]
        ]
        if one["name"] not in names or extras:
            names.add(one["name"])
            ahead += [*package.get("dependencies", ()), *extras]
    return names


@pytest.mark.parametrize("file", FILES)
def test_what_is_installed_is_what_was_resolved_with_the_same_hashes(file: str) -> None:
    for name, (version, hashes) in installed(file).items():
        package = PACKAGES[name]
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else [])]
        assert (version, hashes) == (package["version"], frozenset(one["hash"] for one in files)), name
        assert hashes, name


def test_each_file_has_what_its_use_needs_and_no_more() -> None:
    product = PACKAGES["stepup"]
    run = product["dependencies"]
    local = [*run, *product["optional-dependencies"]["local"]]
    dev = [*local, *product["dev-dependencies"]["dev"]]

    assert {file: set(installed(file)) for file in FILES} == {
        "requirements.lock": resolved(*run),
        "requirements-local.lock": resolved(*local),
        "requirements-dev.lock": resolved(*dev),
    }


def test_uv_lock_was_made_for_what_pyproject_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"] | project["project"]["optional-dependencies"]
    requirements = [*project["project"]["dependencies"], *(one for group in groups.values() for one in group)]
    metadata = PACKAGES["stepup"]["metadata"]
    locked = [
        *metadata["requires-dist"],
        *(one for group in metadata["requires-dev"].values() for one in group),
    ]

    assert {one.partition(";")[0] for one in requirements if isinstance(one, str)} == {
        one["name"] + one["specifier"] for one in locked
    }


def test_no_file_says_where_a_machine_gets_its_packages() -> None:
    """The addresses in uv.lock are PyPI's own, which everybody has; the other files hold none at all."""
    sources = {package["source"].get("registry", "the working copy") for package in LOCK["package"]}
    hosts = set(re.findall(r'url = "(https?://[^/"]+)', (ROOT / "uv.lock").read_text(encoding="utf-8")))

    assert [
        one for one in sources if not re.fullmatch(r"https://pypi\.org/simple|the working copy", one)
    ] == []
    assert [one for one in hosts if not re.fullmatch(r"https://files\.pythonhosted\.org", one)] == []
    assert len(sources) == 2
    assert len(hosts) == 1
    for file in FILES:
        assert "://" not in (ROOT / file).read_text(encoding="utf-8"), file
        assert "index" not in (ROOT / file).read_text(encoding="utf-8"), file
