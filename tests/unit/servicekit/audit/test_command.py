"""`audit verify` (A6): what it prints, and its exit status."""

import argparse
import base64
from pathlib import Path

import pytest

from servicekit.audit.arguments import add_audit_command
from servicekit.audit.chain import TrailKeys
from servicekit.audit.command import keys_of, verify
from servicekit.authority_settings import AuthoritySettings
from servicekit.settings_faults import SettingsFault
from tests.stage.trails import KEYS, written


def ran(*arguments: str, keys: TrailKeys = KEYS) -> tuple[str, int]:
    """Return what the command prints, and its exit status."""
    parser = argparse.ArgumentParser()
    add_audit_command(parser.add_subparsers())
    return verify(parser.parse_args(["audit", "verify", *arguments]), keys)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a trail of five lines."""
    path = tmp_path / "audit.log"
    written(path)
    return path


def test_A6_a_trail_that_nobody_touched_ends_in_0(file: Path) -> None:
    assert ran(str(file)) == ("As it was written: 5 lines in 1 chain.", 0)


def test_A6_a_changed_trail_ends_in_1_and_the_first_line_says_where(file: Path) -> None:
    file.write_bytes(
        file.read_bytes().replace(b'"person":"ada","reference":"1"', b'"person":"evelyn","reference":"1"')
    )

    text, status = ran(str(file))

    assert status == 1
    assert text.splitlines()[0].startswith(f"broken: {file}, line 3 was changed")
    assert text.splitlines()[-1] == "Broken: 5 lines in 1 chain, 1 fault."
    assert "evelyn" not in text


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_A6_a_file_without_a_line_is_not_judged(tmp_path: Path, content: bytes) -> None:
    empty = tmp_path / "empty.log"
    empty.write_bytes(content)

    assert ran(str(empty)) == ("Not judged: 0 lines in 0 chains.", 2)


def test_A6_a_file_that_is_not_there_or_of_another_key_is_not_judged(file: Path) -> None:
    assert ran("/nowhere/audit.log") == ("/nowhere/audit.log cannot be read: No such file or directory.", 2)
    text, status = ran(str(file), keys=TrailKeys([b"o" * 32]))
    assert status == 2
    assert "none of the keys that are set" in text


def test_A6_without_a_key_it_says_what_that_proves(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    written(path, keys=TrailKeys())

    text, status = ran(str(path), keys=TrailKeys())

    assert status == 0
    assert "no key is set" in text


def no_settings() -> AuthoritySettings:
    """Have none, as an auditor's machine."""
    raise SettingsFault(["GATEWAY_CLIENT_ID is not set."])


def test_A6_who_has_the_keys_alone_can_check_the_files(file: Path) -> None:
    keys = keys_of(no_settings, base64.urlsafe_b64encode(b"k" * 32).decode())

    assert ran(str(file), keys=keys)[1] == 0


@pytest.mark.parametrize("given", [None, "", "no key"])
def test_A6_without_settings_and_without_keys_the_settings_are_told(given: str | None) -> None:
    with pytest.raises(SettingsFault):
        keys_of(no_settings, given)


def test_A6_a_thousand_faults_are_told_in_a_few_lines(file: Path) -> None:
    file.write_bytes(b"nonsense\n" * 1_000 + file.read_bytes())

    text, status = ran(str(file))

    assert (status, len(text.splitlines())) == (1, 22)
    assert "and 980 more" in text
