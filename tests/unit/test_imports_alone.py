"""Each module of ours imports by itself, with warnings as errors: no circle, no order that happens to work."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import PACKAGES, ROOT, modules

# Outer libraries are loaded once; then every module of ours gets a process of its own, which knows no other of ours.
ALONE: Final = """
import importlib, os, sys, traceback
outer, ours = (text.split() for text in sys.argv[1:])
for name in outer:
    importlib.import_module(name)
for name in ours:
    sys.stdout.flush()
    if os.fork():
        _, status = os.wait()
        print(name, status, flush=True)
        continue
    try:
        importlib.import_module(name)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
"""
OURS: Final = [module for module in modules(ROOT) if module.room != "tests"]


def statuses(root: Path, outer: Iterable[str], ours: Iterable[str]) -> dict[str, str]:
    """Import each of `ours` in a fresh process with warnings as errors; from its name to its exit status."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, " ".join(sorted(outer)), " ".join(ours)],
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
    return statuses(ROOT, outer, [module.name for module in OURS])


@pytest.mark.parametrize("name", [module.name for module in OURS])
def test_each_module_imports_alone_and_without_warnings(imported_alone: dict[str, str], name: str) -> None:
    assert imported_alone.get(name) == "0"


def test_a_circle_and_a_warning_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "this_one.py").write_text("from that_one import x\ny = 1\n")
    (tmp_path / "that_one.py").write_text("from this_one import y\nx = 1\n")
    (tmp_path / "old.py").write_text("import warnings\nwarnings.warn('old', DeprecationWarning)\n")
    (tmp_path / "good.py").write_text("import json\n")

    results = statuses(tmp_path, (), ("this_one", "that_one", "old", "good"))

    assert [name for name, status in results.items() if status == "0"] == ["good"]
