"""Each module of ours imports by itself, with warnings as errors: no circle, no order that happens to work."""

import ast
import json
import subprocess
import sys
from collections.abc import Container, Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import PACKAGES, ROOT, Module, modules

# Outer libraries are loaded once; then every module of ours gets a process of its own, which knows of ours what the
# module imports first, and nothing else: that is the first thing it would do by itself, and was done in the process
# that this one comes from. `ours` names modules with what each imports first.
ALONE: Final = """
import gc, importlib, json, os, sys, traceback
outer, ours = sys.argv[1].split(), json.loads(sys.argv[2])
for name in outer:
    importlib.import_module(name)
gc.disable()  # each process ends in a moment
def begin(first):
    for name in [name for name, before in ours.items() if before == first]:
        sys.stdout.flush()
        if os.fork():
            _, status = os.wait()
            if status:
                print(name, status, flush=True)
            continue
        try:
            if name in sys.modules:
                os._exit(2)
            importlib.import_module(name)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        print(name, 0, flush=True)
        begin(name)
        os._exit(0)
begin("")
"""
OURS: Final = [module for module in modules(ROOT) if module.room != "tests"]


def first_of(module: Module, ours: Container[str]) -> str:
    """Return which of our modules a module imports first; nothing where it imports none as it begins."""
    for node in module.tree.body:
        named = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            named = [
                next(
                    (f"{node.module}.{name}" for name in named if f"{node.module}.{name}" in ours),
                    node.module,
                )
            ]
        for name in named:
            if name in ours and name != module.name:
                return name
    return ""


def statuses(root: Path, outer: Iterable[str], found: Iterable[Module]) -> dict[str, str]:
    """Import each module in a process of its own with warnings as errors; from its name to its exit status.

    Whoever fails, or is there too early, is tried again in a process that knows nothing of ours.
    """
    every = {module.name: module for module in found}
    came = _ran(root, outer, {name: first_of(module, every) for name, module in every.items()})
    return came | _ran(root, outer, {name: "" for name in every if came.get(name) != "0"})


def _ran(root: Path, outer: Iterable[str], ours: dict[str, str]) -> dict[str, str]:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, " ".join(sorted(outer)), json.dumps(ours)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    sys.stderr.write(ran.stderr)
    return dict(line.split(maxsplit=1) for line in ran.stdout.splitlines())


@pytest.fixture(scope="module")
def imported_alone() -> dict[str, str]:
    """Import every module of ours."""
    # The launcher must do without outer libraries: it runs before they are installed.
    named = {name for module in OURS if module.room not in {"dev", "devstack"} for name in module.imports()}
    outer = {name for name in named if name.split(".")[0] not in {*sys.stdlib_module_names, *PACKAGES}}
    return statuses(ROOT, outer, OURS)


@pytest.mark.parametrize("name", [module.name for module in OURS])
def test_each_module_imports_alone_and_without_warnings(imported_alone: dict[str, str], name: str) -> None:
    assert imported_alone.get(name) == "0"


def test_a_circle_and_a_warning_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "this_one.py").write_text("from that_one import x\ny = 1\n")
    (tmp_path / "that_one.py").write_text("from this_one import y\nx = 1\n")
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('old', DeprecationWarning)\n")
    (tmp_path / "good.py").write_text("import json\n")

    (tmp_path / "better.py").write_text("from old import x\nimport good\n")
    (tmp_path / "best.py").write_text("import json\n\nimport good\nimport this_one\n")
    (tmp_path / "user.py").write_text("import good\n")

    results = statuses(tmp_path, (), modules(tmp_path))

    assert {name for name, status in results.items() if status == "0"} == {"good", "user"}
