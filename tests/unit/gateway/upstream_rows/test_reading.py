"""The file of upstreams as a setting: every fault of every row at once, in words, and no secret."""

from pathlib import Path
from typing import Final

import pytest

from gateway.settings import PREFIX, Settings
from gateway.upstream_rows import UpstreamRow
from gateway.upstream_rows.file import LARGEST_FILE, MOST_ROWS
from servicekit.setting_sentences import shown
from servicekit.settings_faults import SettingsFault, load_settings
from tests.unit.gateway.test_settings import COMPLETE
from tests.unit.gateway.upstream_rows.rows_of_tests import Told, row, rows_of

# The contract's example, with everything in it that is commented out there.
WHOLE: Final = """
[[upstream]]
name = "notes"
prefix = "/api/notes"
target = "https://notes.internal.example/v1"
methods = ["GET", "HEAD"]
scope = "api://notes.example/Notes.Read"
anonymous = true
park = true
max_age = 300
websocket = true
timeout = 30
max_body = 1048576
cache = true
request_headers = []
response_headers = []
"""


def test_without_the_setting_there_is_no_row() -> None:
    assert load_settings(Settings, COMPLETE, PREFIX).upstreams == ()


def test_the_contracts_example_is_right_with_all_of_its_members(tmp_path: Path) -> None:
    (read,) = rows_of(tmp_path, WHOLE)

    assert read == UpstreamRow(
        name="notes",
        prefix="/api/notes",
        target="https://notes.internal.example/v1",
        scope="api://notes.example/Notes.Read",
        anonymous=True,
        park=True,
        max_age=300,
        websocket=True,
        cache=True,
    )


@pytest.mark.parametrize(
    "text", [WHOLE.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + WHOLE.encode()], ids=["CRLF", "BOM"]
)
def test_a_file_of_another_systems_editor_is_read(tmp_path: Path, text: bytes) -> None:
    assert [read.name for read in rows_of(tmp_path, text)] == ["notes"]


def test_rows_are_as_they_are_meant(tmp_path: Path) -> None:
    (read,) = rows_of(
        tmp_path,
        row(
            target='"HTTPS://Notes.Example:443/v1/"',
            timeout="2.5",
            request_headers='["X-Notebook", "api_key"]',
            methods='["PATCH"]',
        ),
    )

    assert read.target == "https://notes.example/v1"
    assert (read.timeout, read.request_headers, read.methods) == (2.5, ("x-notebook", "api_key"), ("PATCH",))
    assert (read.scope, read.anonymous, read.max_body, read.cache) == (None, False, 1_048_576, False)


def test_no_row_at_all_is_said_with_an_empty_list(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "upstream = []") == ()


@pytest.mark.parametrize(
    "text, says",
    [
        (b"", "has no row: each begins with [[upstream]]"),
        (b"# nothing yet\n", "has no row"),
        (b"[upstream]\nname = 'a'\n", "has [upstream], one table"),
        (b"upstream = 'notes'\n", "has 'upstream' as a value"),
        (b"upstream = [1, 2]\n", "has 'upstream' as a value"),
        (b"[[upstreams]]\nname = 'a'\n", "has 'upstreams', which is none of its members"),
        (b"title = 'ours'\nupstream = []\n", "has 'title', which is none of its members"),
        (b"[[upstream]\n", "is no TOML: "),
        (b'{"upstream": []}', "is no TOML: "),
        (b"upstream:\n  - name: notes\n", "is no TOML: "),
        (b"a = " + b"[" * 5_000, "is no TOML: it is nested too deeply"),
        (b"a = " + b"9" * 5_000, "is no TOML: "),
        (b"[[upstream]]\nname = 'a'\nname = 'b'\n", "is no TOML: "),
        (b"\0", "is no TOML: "),
        ("[[upstream]]\n".encode("utf-16"), "is not text in UTF-8"),
        (b"# caf\xe9\n", "is not text in UTF-8"),
        (b"#" * (LARGEST_FILE + 1), f"is larger than {LARGEST_FILE} bytes"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_a_file_that_holds_no_rows_is_told(told: Told, text: bytes, says: str) -> None:
    sentences = told(text)

    assert sentences[0].startswith(f"which {says}")
    assert all("It should be a TOML file with a row for each upstream." in one for one in sentences)


def test_more_rows_than_anybody_has_are_told(told: Told) -> None:
    many = "".join(row(name=f'"n{n}"', prefix=f'"/api/n{n}"') for n in range(MOST_ROWS + 1))

    assert told(many)[0].startswith(f"which has more than {MOST_ROWS} rows.")


def test_a_path_that_is_no_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    for path, says in {
        tmp_path / "nowhere.toml": "cannot be read: No such file or directory",
        tmp_path / "folder": "is a folder",
        tmp_path / "loop": "cannot be read: Too many levels of symbolic links",
        tmp_path / ("x" * 300): "cannot be read: File name too long",
        Path("/dev/zero"): "is no regular file",
    }.items():
        with pytest.raises(SettingsFault) as fault:
            load_settings(Settings, {**COMPLETE, "GATEWAY_UPSTREAMS": str(path)}, PREFIX)

        (line,) = fault.value.lines
        assert line.startswith(f"GATEWAY_UPSTREAMS names {shown(str(path))}, which {says}"), line


def test_every_fault_of_every_row_and_of_other_settings_is_told_at_once(told: Told) -> None:
    sentences = told(
        row(name='"Notes"', park="true", methods='["get"]', targett='"x"')
        + row(prefix='"/auth"', max_age="true", scope='"a b"', websocket="true", methods='["POST"]')
        + row(name='"third"', prefix='"/api/third"', target=""),
        GATEWAY_PORT="0",
    )

    assert [one.split(". It should")[0].split(". ")[0] for one in sentences] == [
        "row 1: name is 'Notes', which has another form than small letters, digits and hyphens, at most 32",
        "row 1: methods is ['get'], which names 'get', which is none of GET, HEAD, POST, PUT, PATCH, DELETE: write GET",
        "row 1: 'targett' is no member of a row",
        "row 2 (notes): prefix is '/auth', which is not below /api/",
        "row 2 (notes): scope is 'a b', which has another form than that of one scope",
        "row 2 (notes): max_age is true, which is true or false and no whole number",
        "row 3 (third): target is missing",
        "row 1: park is set, and scope is not: without a token there is no confirmation to ask for",
        "row 2 (notes): websocket is true, and methods lacks GET, which is the request that upgrades",
        "GATEWAY_PORT is '0', which is below 1",
    ]


@pytest.mark.parametrize(
    "member, value, says",
    [
        ("name", '""', "has another form"),
        ("name", '"7notes"', "has another form"),
        ("name", '"no_tes"', "has another form"),
        ("name", '"notes\\n"', "has another form"),
        ("name", f'"{"n" * 33}"', "has another form"),
        ("name", '"profile"', "is a name that the gateway uses itself"),
        ("name", '"graph"', "is a name that the gateway uses itself"),
        ("name", '"token-endpoint"', "is a name that the gateway uses itself"),
        ("name", "7", "is a number and no text"),
        ("prefix", '"notes"', "is not below /api/"),
        ("prefix", '"/notes"', "is not below /api/"),
        ("prefix", '"/API/notes"', "is not below /api/"),
        ("prefix", '"/apis/notes"', "is not below /api/"),
        ("prefix", '"//api/notes"', "is not below /api/"),
        ("prefix", '"https://a.example/api/notes"', "is not below /api/"),
        ("prefix", '"/api"', "is not below /api/"),
        ("prefix", '"/api/"', "is /api/ itself"),
        ("prefix", '"/api/notes/"', "ends with a slash"),
        ("prefix", '"/api//notes"', "has an empty segment"),
        ("prefix", '"/api/../notes"', "has dots for a segment"),
        ("prefix", '"/api/./notes"', "has dots for a segment"),
        ("prefix", '"/api/%6eotes"', "holds a percent sign"),
        ("prefix", '"/api\\\\notes"', "holds a percent sign or a backslash"),
        ("prefix", '"/api/notes?x=1"', "has a query"),
        ("prefix", '"/api/notes#x"', "has a query or a fragment"),
        ("prefix", '"/api/{name}"', "has a place for anything"),
        ("prefix", '"/api/notes/*"', "has a place for anything"),
        ("prefix", '"/api/nötes"', "has characters beside"),
        ("prefix", '"/api/no tes"', "has characters beside"),
        ("prefix", '"/api/no;tes"', "has characters beside"),
        ("prefix", '"/api/session"', "is /api/session, which the gateway answers itself"),
        ("prefix", '"/api/Session/mine"', "lies below /api/session, which the gateway answers itself"),
        ("prefix", '"/api/profile/photo"', "lies below /api/profile, which the gateway answers itself"),
        ("prefix", '"/api/parked"', "is /api/parked, which the gateway answers itself"),
        ("prefix", '"/api/openapi.json"', "is /api/openapi.json, which the gateway answers itself"),
        ("target", '"notes.example"', "is not an http or https address"),
        ("target", '"ftp://notes.example"', "is not an http or https address"),
        ("target", '"unix:///run/notes"', "is not an http or https address"),
        ("target", '"https://notes.example?key=hush"', "has a query or a fragment"),
        ("target", '"https://notes.example/#hush"', "has a query or a fragment"),
        ("target", '"https://user:hush@notes.example"', "holds a user name or a password"),
        ("target", '"https://user:hu/sh@notes.example"', "has a host or a port that cannot be read"),
        ("target", '"https://notes.example/v1/../admin"', "has a path with dots"),
        ("target", '["https://a.example", "https://b.example"]', "is a list and no text"),
        ("methods", '"GET"', "is text and no list"),
        ("methods", "[]", "names none"),
        ("methods", '["GET", "GET"]', "names GET twice"),
        ("methods", '["TRACE"]', "names TRACE, which sends back"),
        ("methods", '["connect"]', "names CONNECT, which opens a tunnel"),
        ("methods", '["OPTIONS"]', "names OPTIONS, which browsers ask"),
        ("methods", '["*"]', "names '*', which is none of"),
        ("methods", "[1]", "holds a number and no text"),
        ("scope", '""', "has another form"),
        ("scope", '"api://a/R api://b/R"', "has another form than that of one scope"),
        ("scope", '"api://a/R,api://b/R"', "has another form than that of one scope"),
        ("scope", '["api://a/R"]', "is a list and no text"),
        ("scope", '"openid"', "is a scope of signing in"),
        ("scope", '"offline_access"', "is a scope of signing in"),
        ("anonymous", '"true"', "is text and neither true nor false"),
        ("park", "1", "is a number and neither true nor false"),
        ("timeout", "true", "is true or false and no number"),
        ("timeout", '"30s"', "is text and no number"),
        ("timeout", "0", "is not above 0"),
        ("timeout", "-1", "is not above 0"),
        ("timeout", "601", "is above 600"),
        ("timeout", "inf", "is no number of seconds"),
        ("timeout", "nan", "is no number of seconds"),
        ("timeout", "1979-05-27", "is a date or a time and no number"),
        ("max_body", "true", "is true or false and no whole number"),
        ("max_body", "1.5", "is a number and no whole number"),
        ("max_body", "-1", "is below 0"),
        ("max_body", '"1MB"', "is text and no whole number"),
        ("max_age", "0", "is below 1"),
        ("max_age", "604801", "is above 604800"),
        ("request_headers", '"X-Notebook"', "is text and no list"),
        ("request_headers", '["X Notebook"]', "names what is no name of a header field"),
        ("request_headers", '["X-Api-Key: hush"]', "names what is no name of a header field"),
        ("request_headers", '["X-Api-Key=hush"]', "names what is no name of a header field"),
        ("request_headers", '{X-Api-Key = "hush"}', "is {…}, which is a table and no list"),
        ("target", '{url = "https://a:hush@b.example"}', "is a table and no text"),
        ("target", '["https://a:hush@b.example?hush"]', "is a list and no text"),
        ("request_headers", '["Cookie"]', "names 'Cookie', which never goes to an upstream"),
        ("request_headers", '["authorization"]', "never goes to an upstream"),
        ("request_headers", '["X_Forwarded_For"]', "never goes to an upstream"),
        ("request_headers", '["X-HTTP-Method-Override"]', "never goes to an upstream"),
        ("request_headers", '["If_Match"]', "some servers take for the name with hyphens"),
        ("request_headers", '["X-A", "x-a"]', "names 'x-a' twice"),
        ("response_headers", '["Set-Cookie"]', "names 'Set-Cookie', which never goes to a browser"),
        ("response_headers", '["Access-Control-Allow-Origin"]', "never goes to a browser"),
        ("response_headers", '["Content-Security-Policy"]', "never goes to a browser"),
        ("response_headers", '["WWW-Authenticate"]', "never goes to a browser"),
        ("response_headers", '["Clear-Site-Data"]', "never goes to a browser"),
    ],
)  # fmt: skip
def test_a_member_that_cannot_be_used_is_told(told: Told, member: str, value: str, says: str) -> None:
    (sentence,) = told(row(**{"scope": '"api://a/R"', member: value}))

    assert sentence.split(": ", 1)[1].startswith(f"{member} is ")
    assert says in sentence
    assert "It should be" in sentence
    assert "hush" not in sentence


@pytest.mark.parametrize(
    "name, meant",
    [
        ("Name", "name"),
        ("prefixes", "prefix"),
        ("maxAge", "max_age"),
        ("max-body", "max_body"),
        ("age_max", "max_age"),
        ("url", "target"),
        ("path", "prefix"),
        ("scopes", "scope"),
        ("proxyWebSockets", "websocket"),
        ("requestheaders", "request_headers"),
    ],
)
def test_an_unknown_member_is_told_with_the_one_that_was_meant(told: Told, name: str, meant: str) -> None:
    (sentence,) = told(row(f'{name} = "hush"\n'))

    assert sentence == f"row 1 (notes): '{name}' is no member of a row. Did you mean {meant}?"


def test_a_member_that_resembles_none_is_told_with_all_that_there_are(told: Told) -> None:
    (sentence,) = told(row('client_secret = "hush"\n'))

    assert sentence.startswith(
        "row 1 (notes): 'client_secret' is no member of a row. It should be one of name, prefix"
    )
    assert "hush" not in sentence
