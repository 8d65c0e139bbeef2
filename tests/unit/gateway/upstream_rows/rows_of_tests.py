"""Files of upstreams for tests: a right row with members replaced, and what settings say of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.settings import PREFIX, Settings
from gateway.upstream_rows import UpstreamRow
from servicekit.setting_sentences import shown
from servicekit.settings_faults import SettingsFault, load_settings
from tests.unit.gateway.test_settings import COMPLETE

Told = Callable[..., list[str]]

NOTES = 'name = "notes"\nprefix = "/api/notes"\ntarget = "https://notes.example/v1"\n'


def teller(folder: Path) -> Told:
    """Return a function that says which sentences a file brings, without the words that all of them begin with."""

    def tell(text: str | bytes, **changed: str) -> list[str]:
        file = folder / "upstreams.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        environment = {**COMPLETE, "GATEWAY_UPSTREAMS": str(file), **changed}
        with pytest.raises(SettingsFault) as fault:
            load_settings(Settings, environment, PREFIX)
        return [
            line.replace(f" of {shown(str(file))}", "")
            .replace(f" names {shown(str(file))}", "")
            .removeprefix("GATEWAY_UPSTREAMS, ")
            for line in fault.value.lines
        ]

    return tell


def rows_of(folder: Path, text: str | bytes) -> tuple[UpstreamRow, ...]:
    """Return the rows of a right file."""
    file = folder / "upstreams.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_settings(Settings, {**COMPLETE, "GATEWAY_UPSTREAMS": str(file)}, PREFIX).upstreams


def row(text: str = "", **members: str) -> str:
    """Return a right row with members replaced, by what stands behind the equals sign; "" takes one away."""
    lines = dict(line.split(" = ", 1) for line in NOTES.splitlines()) | members
    return "[[upstream]]\n" + "".join(f"{k} = {v}\n" for k, v in lines.items() if v) + text
