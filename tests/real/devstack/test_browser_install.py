"""Where the Chromium of the journeys comes from."""

import stat
from pathlib import Path

from devstack.browser_install import system_chromium


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_one_that_is_named_is_taken_at_its_word() -> None:
    assert system_chromium({"CHROME_PATH": "/somewhere/chrome", "PATH": ""}) == "/somewhere/chrome"


def test_one_on_the_path_is_taken_when_it_starts(tmp_path: Path) -> None:
    program(tmp_path / "chromium", "echo 'run: snap install chromium'; exit 1")
    working = program(tmp_path / "google-chrome", "echo Google Chrome 156.0")

    assert system_chromium({"PATH": str(tmp_path)}) == working


def test_the_one_without_windows_is_preferred(tmp_path: Path) -> None:
    program(tmp_path / "chromium", "echo Chromium 156.0")
    light = program(tmp_path / "chromium-headless-shell", "echo Chromium 156.0")

    assert system_chromium({"PATH": str(tmp_path)}) == light
