"""The examples as the launcher takes them: by what their folders hold, and where their APIs listen."""

import socket
import tomllib
from pathlib import Path

import pytest

from devstack import examples
from devstack.errors import LaunchError
from devstack.examples import Example, example_named
from devstack.stack import ROOT
from tests.stage.ports import free_ports


def test_an_example_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"no example 'note'\. There are: notes, profile-element"):
        example_named("note", ROOT, {}, free_ports())
    with pytest.raises(
        LaunchError, match=r"There is no example 'notes'\. Examples are only in a working copy"
    ):
        example_named("notes", tmp_path, {}, free_ports())


@pytest.mark.parametrize("name", ["..", "../examples/notes", "notes/page", "/etc", "", "Notes"])
def test_nothing_but_an_example_is_run(name: str) -> None:
    with pytest.raises(LaunchError, match="There is no example"):
        example_named(name, ROOT, {}, free_ports())


@pytest.mark.parametrize("setting", ["GATEWAY_TENANT_SUBDOMAIN", "GATEWAY_AUTHORITY"])
def test_an_example_goes_with_the_local_tenant_alone(setting: str) -> None:
    with pytest.raises(LaunchError, match=r"in the local tenant alone.*see examples/notes/README\.md"):
        example_named("notes", ROOT, {setting: "contoso"}, free_ports())


def test_an_api_makes_way_where_its_port_is_taken_and_its_row_follows(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", examples.PORT))
        except OSError:
            pass  # somebody else holds it, which is as good
        else:
            holder.listen()
        moved = example_named("notes", ROOT, {}, free_ports())
    rows = Path(moved.settings(tmp_path)["GATEWAY_UPSTREAMS"])

    assert moved.port != examples.PORT
    assert rows.parent == tmp_path
    (row,) = tomllib.loads(rows.read_text("utf-8"))["upstream"]
    assert row["target"] == f"http://127.0.0.1:{moved.port}/notes"


@pytest.mark.parametrize("name", ["notes", "profile-element"])
def test_what_the_gateway_is_told_lies_in_the_example_s_folder(name: str, tmp_path: Path) -> None:
    folder = ROOT / "examples" / name
    told = Example(folder, examples.PORT).settings(tmp_path)

    assert told["GATEWAY_FRONT_END"] == str(folder / "page")
    assert told.get("GATEWAY_UPSTREAMS") == (str(folder / "upstreams.toml") if name == "notes" else None)
    assert list(tmp_path.iterdir()) == []


def test_an_api_sees_no_setting_of_the_product(tmp_path: Path) -> None:
    program = Example(ROOT / "examples" / "notes", 1).program(
        {"PATH": "/bin"}, "http://127.0.0.1:2", tmp_path
    )

    assert program is not None
    assert {*program.environment} == {"PATH", "PYTHONUNBUFFERED", "NOTES_PORT", "NOTES_ISSUER", "NOTES_KEYS"}
    assert Example(ROOT / "examples" / "profile-element", 1).program({}, "", tmp_path) is None
