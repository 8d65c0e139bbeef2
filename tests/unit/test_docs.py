"""The documents say what the code does: settings, routes, problems, proofs and dependencies."""

import inspect
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from aiohttp import web
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from gateway import errors as gateway_errors
from gateway.app import create_app
from gateway.edge.spa_files import SpaFiles
from gateway.settings import Settings as GatewaySettings
from local_tenant.settings import Settings as TenantSettings
from resource_api import errors as api_errors
from resource_api.settings import Settings as ApiSettings
from servicekit import errors as shared_errors
from servicekit.problems import ProblemError
from servicekit.settings_faults import load_settings
from tests.stage.sources import ROOT
from tests.stage.tenant import GATEWAY_SECRET
from tests.stage.world import SEALING_KEY
from tests.unit.test_architecture import FLOORS
from tests.unit.test_doc_pages import every_page

PREFIXES: Final[dict[str, type[BaseSettings]]] = {
    "GATEWAY_": GatewaySettings,
    "RESOURCE_API_": ApiSettings,
    "LOCAL_TENANT_": TenantSettings,
}
SETTING: Final = re.compile(r"\b(?:GATEWAY|RESOURCE_API|LOCAL_TENANT)_[A-Z_]*[A-Z]\b")


def text_of(path: str) -> str:
    """Return a file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def settings() -> dict[str, FieldInfo]:
    """Return every setting of the three parts by its variable."""
    fields: dict[str, FieldInfo] = {}
    for prefix, kind in PREFIXES.items():
        fields |= {prefix + name.upper(): field for name, field in kind.model_fields.items()}
    return fields


def from_files() -> set[str]:
    """Return the `…_FILE` forms that secrets have."""
    return {f"{name}_FILE" for name, field in settings().items() if "SecretStr" in str(field.annotation)}


def shown(field: FieldInfo) -> str:
    """Return a default as the tables write it."""
    if field.is_required():
        return "required"
    default = field.default.relative_to(ROOT) if isinstance(field.default, Path) else field.default
    if default in (None, "", ()):
        return "\N{EN DASH}"
    return f"`{int(default) if isinstance(default, bool) else default}`"


def tables(text: str) -> Iterator[list[str]]:
    """Yield the cells of every row of every table."""
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def sections(text: str) -> dict[str, str]:
    """Return what stands under each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def slugs(*modules: ModuleType) -> dict[str, set[int]]:
    """Return the slugs of problems with their statuses, the router's own among them."""
    statuses: dict[str, set[int]] = {"internal-error": {500}, "not-found": {404}, "method-not-allowed": {405}}
    for module in modules:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, ProblemError) and kind.slug != ProblemError.slug:
                statuses.setdefault(kind.slug, set()).add(kind.status)
    return statuses


def test_U29_every_setting_is_documented_with_its_default() -> None:
    rows = {
        row[0].strip("`"): row[1] for row in tables(text_of("docs/reference/settings.md")) if len(row) == 3
    }
    rows = {name: default for name, default in rows.items() if SETTING.fullmatch(name)}

    assert rows == {name: shown(field) for name, field in settings().items()}


def test_U29_secrets_are_marked_as_such() -> None:
    marked = {
        row[0].strip("`")
        for row in tables(text_of("docs/reference/settings.md"))
        if row[-1].startswith("*Secret.*")
    }

    # The local tenant's secrets have their `_FILE` form as settings of their own, with rows of their own.
    assert marked == {name for name, field in settings().items() if field_is_secret(field)} - {
        "LOCAL_TENANT_GATEWAY_SECRET",
        "LOCAL_TENANT_API_SECRET",
    }


def field_is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting is never shown."""
    return SecretStr.__name__ in str(field.annotation)


def test_U29_the_example_environment_has_every_setting_and_no_other() -> None:
    named = set(re.findall(r"^#?([A-Z_]+)=", text_of(".env.example"), re.MULTILINE))
    named = {name if name in settings() else name.removesuffix("_FILE") for name in named}

    # The local tenant's `_FILE` settings are another way to say the same.
    assert named | {n for n in settings() if n.endswith("_SECRET_FILE")} == set(settings())


def test_U29_the_drawing_of_the_gateway_has_every_room_and_every_file_beside_them() -> None:
    drawing = sections(text_of("docs/explanation/architecture.md"))["Rooms"].split("```")[1]
    drawn = {
        f"{path.name}/" if path.is_dir() else path.stem
        for path in (ROOT / "gateway").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert drawn - set(re.findall(r"\w+/?", drawing)) == {"__init__"}


def test_the_drawing_of_the_gateway_has_its_floors_in_their_order() -> None:
    drawing = sections(text_of("docs/explanation/architecture.md"))["Rooms"].split("```")[1]
    rows = [
        line.strip().split("  ")[0].split(" \N{MIDDLE DOT} ") for line in drawing.strip("\n").splitlines()
    ]

    assert [{name.rstrip("/") for name in row} for row in reversed(rows)] == [
        set(floor.split()) for floor in FLOORS
    ]


@every_page
def test_U29_pages_name_only_settings_that_exist(document: Path) -> None:
    named = set(SETTING.findall(document.read_text(encoding="utf-8")))

    assert named - settings().keys() - from_files() == set()


@pytest.mark.parametrize("document", sorted(ROOT.glob("*compose*.yml")), ids=lambda path: path.name)
def test_compose_sets_only_settings_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    set_there = set(re.findall(r"^\s+([A-Z_]+):", text, re.MULTILINE)) | set(SETTING.findall(text))

    assert set_there
    assert set_there - settings().keys() - from_files() == set()


def gateway_app(spa: Path, mode: str) -> web.Application:
    """Return the gateway in one response mode."""
    (spa / "index.html").touch()
    environment = {
        "GATEWAY_TENANT_SUBDOMAIN": "contoso",
        "GATEWAY_TENANT_ID": "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10",
        "GATEWAY_CLIENT_ID": "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2",
        "GATEWAY_CLIENT_SECRET": GATEWAY_SECRET,
        "GATEWAY_EDIT_PROFILE_SCOPE": "api://x/y",
        "GATEWAY_REDIS_URL": "redis://localhost",
        "GATEWAY_SEALING_KEYS": SEALING_KEY,
        "GATEWAY_RESPONSE_MODE": mode,
        "GATEWAY_BACKCHANNEL_LOGOUT": "1",
    }
    return create_app(load_settings(GatewaySettings, environment, "GATEWAY_"), spa=spa)


def test_U29_every_route_has_a_section_in_the_interface(tmp_path: Path) -> None:
    routed = {
        f"{route.method} {route.resource.canonical}"
        for mode in ("form_post", "query")
        for route in gateway_app(tmp_path, mode).router.routes()
        if route.resource and route.method != "HEAD"
    }
    pages = {f"GET {row.path}".replace(":.+}", "}") for row in SpaFiles(tmp_path).routes()}
    described = re.findall(r"^### `([A-Z]+ /.*)`$", text_of("docs/reference/http-api.md"), re.MULTILINE)

    assert set(described) == routed - pages
    assert len(set(described)) == len(described)


def test_U20_every_problem_has_a_section_with_its_statuses_and_the_reverse() -> None:
    gateway, api = slugs(gateway_errors, shared_errors), slugs(api_errors, shared_errors)
    navigations = {
        kind.slug
        for _, kind in inspect.getmembers(gateway_errors, inspect.isclass)
        if issubclass(kind, gateway_errors.AuthFlowRejected) and kind is not gateway_errors.AuthFlowRejected
    }
    first_lines = {
        slug: section.strip().splitlines()[0]
        for slug, section in sections(text_of("docs/reference/problems.md")).items()
    }

    assert first_lines.keys() == gateway.keys() | api.keys()
    for slug, section in first_lines.items():
        ours, _, theirs = section.lower().partition("resource api:")
        assert set(map(int, re.findall(r"\d{3}", theirs))) == api.get(slug, set()), slug
        if slug not in navigations:
            assert set(map(int, re.findall(r"\d{3}", ours))) == gateway.get(slug, set()), slug
        else:
            assert ours == "gateway: navigation.", slug


def test_every_problem_of_the_gateway_has_words_in_the_client() -> None:
    worded = set(re.findall(r"^  \['([a-z-]+)',", text_of("spa/words/en-problems.js"), re.MULTILINE))
    # Whoever gets these is no page of ours.
    never_seen = {"misdirected-request", "method-not-allowed"}

    assert slugs(gateway_errors, shared_errors).keys() - worded - never_seen == set()


def test_the_readme_has_the_two_commands() -> None:
    assert {"python3 dev.py", "python3 dev.py test"} <= set(text_of("README.md").splitlines())


def test_every_folder_of_tests_is_explained() -> None:
    named = {row[0].strip("`") for row in tables(text_of("CONTRIBUTING.md")) if row[0].startswith("`tests/")}
    folders = [*(ROOT / "tests").iterdir(), *(ROOT / "tests/real").iterdir()]
    folders_of_tests = {
        path.relative_to(ROOT).as_posix() for path in folders if (path / "__init__.py").exists()
    }

    assert named == folders_of_tests - {"tests/real"}


def test_S60_the_threat_model_claims_no_proof_that_is_not_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    proven = {
        f"{kind}{int(number)}"
        for name in re.findall(r"def test((?:_[A-Z]\d+)+)_", tests)
        for kind, number in re.findall(r"_([SRU])(\d+)", name)
    }
    rows = [
        row
        for row in tables(text_of("docs/explanation/threat-model.md"))
        if len(row) == 4 and row[-1] != "proof"
    ]
    claimed = {one for row in rows for one in re.findall(r"\b[SRU]\d+\b", row[-1])}

    assert len(claimed) > 30
    assert claimed - proven == set()


def direct_dependencies() -> set[str]:
    """Return the names in pyproject.toml, extras and groups included, and those in tests/package.json."""
    project = tomllib.loads(text_of("pyproject.toml"))
    groups: dict[str, list[Any]] = project["dependency-groups"] | project["project"]["optional-dependencies"]
    requirements: Iterable[object] = [
        *project["project"]["dependencies"],
        *(one for group in groups.values() for one in group),
    ]
    of_npm: dict[str, str] = json.loads(text_of("tests/package.json"))["dependencies"]
    return {re.split(r"[<>=;\s]", one)[0] for one in requirements if isinstance(one, str)} | of_npm.keys()


def test_each_dependency_has_its_reason() -> None:
    rows = [
        row
        for row in tables(text_of("docs/explanation/decisions/2026-11-21-dependencies.md"))
        if len(row) == 3
    ]
    reasons = {row[0].strip("`"): row[1:] for row in rows if row[0].startswith("`")}

    assert reasons.keys() == direct_dependencies()
    assert all(why and instead for why, instead in reasons.values())
