"""From a raw request target to a row and an address: byte for byte, or not at all."""

from typing import Final

import pytest

from gateway.proxy.paths import UpstreamPaths, address_of
from gateway.upstream_rows import UpstreamRow
from servicekit.errors import BadRequest

NOTES: Final = UpstreamRow(name="notes", prefix="/api/notes", target="https://notes.example/v1")
EDITS: Final = UpstreamRow(
    name="edits", prefix="/api/notes", target="https://notes.example/v1", methods=("PATCH",)
)
DEEPER: Final = UpstreamRow(
    name="deeper", prefix="/api/notes/deeper", target="https://deep.example", methods=("POST",)
)
BARE: Final = UpstreamRow(name="bare", prefix="/api/bare", target="https://bare.example")
PATHS: Final = UpstreamPaths((NOTES, EDITS, DEEPER, BARE))


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "/",
        "/7",
        "/7?x=%20",
        "?",
        "?x",
        "?x=/../..%2f\\&y=%00&z=100%&?",
        "/7/",
        "//7",
        "/7//",
        "/a;v=1/b;x",
        "/;..",
        "/...",
        "/.well-known",
        "/..a/b..",
        "/%20%3f%23%25",
        "/%252e%252e/%255c",
        "/%C3%A9/%c3%a9",
        "/é",
        "/a:b@c!$&'()*+,=~-_",
        '/[1]|^{}`<>"',
        "/https://else.example/",
        "/@else.example",
    ],
)
def test_what_follows_the_prefix_goes_on_byte_for_byte(rest: str) -> None:
    assert address_of(NOTES, f"/api/notes{rest}") == f"https://notes.example/v1{rest}"


@pytest.mark.parametrize(
    "rest, asked",
    [("", "/"), ("/", "/"), ("?x=1", "/?x=1"), ("/a", "/a"), ("//else.example", "//else.example")],
)
def test_a_target_without_a_path_is_asked_at_its_root(rest: str, asked: str) -> None:
    assert address_of(BARE, f"/api/bare{rest}") == f"https://bare.example{asked}"


@pytest.mark.parametrize("form", ["http://localhost:3000", "HTTPS://else.example", "http://"])
def test_S46_the_absolute_form_of_a_target_leads_nowhere_else(form: str) -> None:
    target = f"{form}/api/notes/7?x"

    assert PATHS.rows_of(target)["GET"] is NOTES
    assert address_of(NOTES, target) == "https://notes.example/v1/7?x"


@pytest.mark.parametrize(
    "rest",
    [
        "/..",
        "/../",
        "/.",
        "/./7",
        "/7/../../admin",
        "/..;/admin",
        "/..;x=1",
        "/.;/7",
        "/%2e%2e/admin",
        "/.%2E/admin",
        "/%2e",
        "/file%2etxt",
        "/a%2fb",
        "/a%2Fb",
        "%2f..%2fadmin",
        "%2F7",
        "/a%5cb",
        "/a%5Cb",
        "%5c7",
        "/a\\b",
        "\\7",
        "\\..\\admin",
        "/\\else.example",
        "/%00",
        "/7%00.txt",
        "/%0d%0aX:1",
        "/%7f",
        "/%c0%ae%c0%ae/admin",
        "/%c0%af",
        "/%e0%80%ae",
        "/%ff",
        "/%ed%a0%80",
        "/\udcff",
        "?\udcff",
        "/%",
        "/%2",
        "/%zz",
        "/%%32%65",
        "/%u002e",
        "/7#x",
        "?x#y",
        "#",
        "/ ",
        "/\t",
        "/7\r\nX: 1",
        "?x\n",
        "/\x7f",
    ],
)
def test_S46_a_path_that_two_servers_read_differently_is_refused(rest: str) -> None:
    target = f"/api/notes{rest}"

    with pytest.raises(BadRequest):
        address_of(NOTES, target)
    assert PATHS.rows_of(target), "refused, and not as if there were nothing"


@pytest.mark.parametrize(
    "rest, fault",
    [
        ("/7#x", "it holds a #"),
        ("/ ", "it holds a space or a control character"),
        ("?\udcff", "it is not UTF-8"),
        ("\\7", "its path holds a backslash"),
        ("/%zz", "its path holds a % without two hexadecimal digits behind it"),
        ("/%2e", "its path holds an encoded slash, backslash or dot"),
        ("/%00", "its path holds an encoded control character"),
        ("/%ff", "its path is not UTF-8 once it is decoded"),
        ("/../7", "its path has dots for a segment"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_quotes_nothing(rest: str, fault: str) -> None:
    with pytest.raises(BadRequest) as refused:
        address_of(NOTES, f"/api/notes{rest}")

    assert refused.value.detail == f"The address cannot be passed on: {fault}."


@pytest.mark.parametrize(
    "target",
    [
        "/api/note",
        "/api/notes2",
        "/api/notes;x",
        "/api/notes.json",
        "/api/notes%20",
        "/api/%6eotes/7",
        "/api%2fnotes/7",
        "/api/Notes/7",
        "/API/notes/7",
        "/api//notes/7",
        "//api/notes/7",
        "/api/./notes/7",
        "/x/../api/notes/7",
        "/api/notes2?/api/notes/7",
        "?/api/notes",
        "api/notes/7",
        "*",
        "",
    ],
)
def test_another_spelling_of_a_prefix_is_none(target: str) -> None:
    assert PATHS.prefix_of(target) is None
    assert not PATHS.rows_of(target)
    with pytest.raises(BadRequest) as refused:
        address_of(NOTES, target)
    assert refused.value.detail == "The path does not begin with the prefix of its upstream."


@pytest.mark.parametrize(
    "target, rows",
    [
        ("/api/notes", {"GET": NOTES, "HEAD": NOTES, "PATCH": EDITS}),
        ("/api/notes/deep", {"GET": NOTES, "HEAD": NOTES, "PATCH": EDITS}),
        ("/api/notes/deeper", {"POST": DEEPER}),
        ("/api/notes/deeper/1?x", {"POST": DEEPER}),
        ("/api/notes/deeper%2f1", {"POST": DEEPER}),
        ("/api/notes?/deeper", {"GET": NOTES, "HEAD": NOTES, "PATCH": EDITS}),
    ],
)
def test_the_longest_prefix_counts_whatever_the_method(target: str, rows: dict[str, UpstreamRow]) -> None:
    assert PATHS.rows_of(target) == rows
