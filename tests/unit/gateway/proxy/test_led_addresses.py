"""Where an upstream leads: through the gateway, elsewhere, or nowhere that a browser could go."""

from typing import Final

import pytest

from gateway.proxy.led_addresses import link_as_seen_by_browsers, seen_by_browsers
from gateway.upstream_rows import UpstreamRow

NOTES: Final = UpstreamRow(name="notes", prefix="/api/notes", target="https://notes.example/v1")
BARE: Final = UpstreamRow(name="bare", prefix="/api/bare", target="https://bare.example")
ASKED: Final = "https://notes.example/v1/shelf/7?page=1"


@pytest.mark.parametrize(
    "reference, seen",
    [
        ("https://notes.example/v1/8?x=%20&y#z", "/api/notes/8?x=%20&y#z"),
        ("HTTPS://Notes.Example:443/v1/8", "/api/notes/8"),
        ("//notes.example/v1/8", "/api/notes/8"),
        ("/v1/8", "/api/notes/8"),
        ("/v1/", "/api/notes/"),
        ("/v1", "/api/notes"),
        ("/v1?x", "/api/notes?x"),
        ("8", "/api/notes/shelf/8"),
        ("../8", "/api/notes/8"),
        ("?page=2", "/api/notes/shelf/7?page=2"),
        ("/v1//evil.example", "/api/notes//evil.example"),
        ("/v1/a%2Fb;x", "/api/notes/a%2Fb;x"),
    ],
)
def test_what_lies_within_the_target_is_brought_to_the_prefix(reference: str, seen: str) -> None:
    assert seen_by_browsers(NOTES, reference, asked=ASKED) == seen


@pytest.mark.parametrize(
    "reference", ["https://files.example/a?key=b", "http://notes.example/v1/8", "//files.example/"]
)
def test_another_servers_address_stays_what_it_is(reference: str) -> None:
    seen = seen_by_browsers(NOTES, reference, asked=ASKED)

    assert seen == (f"https:{reference}" if reference.startswith("//") else reference)


@pytest.mark.parametrize(
    "reference",
    [
        "/",
        "/v2/8",
        "/v10",
        "/v1x",
        "../../8",
        "https://notes.example",
        "https://notes.example/v1/../admin",
        "https://notes.example/v1/%2e%2E/admin",
        "https://user:word@notes.example/v1/8",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\\evil.example",
        "\\\\evil.example",
        "/v1/8\t",
        "/v1/ 8",
        "https://[::1/",
        "https:///v1/8x\\",
        "https://notes.example:99999/v1",
    ],
)
def test_what_no_browser_can_reach_is_left_out(reference: str) -> None:
    assert seen_by_browsers(NOTES, reference, asked=ASKED) is None


def test_all_of_an_upstream_lies_within_a_target_without_a_path() -> None:
    asked = "https://bare.example/"

    assert [
        seen_by_browsers(BARE, one, asked=asked) for one in ("/", "/a", "https://bare.example", "?x")
    ] == [
        "/api/bare/",
        "/api/bare/a",
        "/api/bare/",
        "/api/bare/?x",
    ]


@pytest.mark.parametrize(
    "value, seen",
    [
        ("</v1/8>; rel=next", "</api/notes/8>; rel=next"),
        ('</v1/8>; rel="next"; title="a, <b>; c"', '</api/notes/8>; rel="next"; title="a, <b>; c"'),
        ("</v1/8>;rel=next,</v1/9>;rel=last", "</api/notes/8>;rel=next, </api/notes/9>;rel=last"),
        ("</internal>; rel=up, <https://e.example/>; rel=help", "<https://e.example/>; rel=help"),
        ("</internal>; rel=up", None),
        ("nothing of the kind", None),
        ("", None),
        ("<" * 4_000, None),
        ('</v1/8>; title="no end', None),
    ],
)
def test_links_lead_where_browsers_can_go(value: str, seen: str | None) -> None:
    assert link_as_seen_by_browsers(NOTES, value, asked=ASKED) == seen
