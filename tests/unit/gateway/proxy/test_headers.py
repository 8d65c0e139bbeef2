"""The header fields that go through, both ways: built from lists, never copied."""

import itertools
from typing import Final

import pytest
from multidict import CIMultiDict

from gateway.edge.answer_headers import answer_headers
from gateway.proxy.headers import inward, outward
from gateway.upstream_rows import UpstreamRow
from gateway.upstream_rows.headers import never_comes_in
from servicekit.errors import BadRequest

NOTES: Final = UpstreamRow(name="notes", prefix="/api/notes", target="https://notes.example/v1")
LISTED: Final = NOTES.model_copy(
    update={
        "request_headers": ("x-notebook", "api_key"),
        "response_headers": ("x-total-count",),
        "cache": True,
    }
)
ASKED: Final = "https://notes.example/v1/7"


def sent(row: UpstreamRow, *fields: tuple[str, str]) -> list[tuple[str, str]]:
    return outward(row, CIMultiDict(fields))


def got(row: UpstreamRow, *fields: tuple[str, str]) -> list[tuple[str, str]]:
    return list(inward(row, CIMultiDict(fields), asked=ASKED).items())


def test_S47_what_is_safe_goes_out_in_its_order_and_spelling() -> None:
    fields = [
        ("ACCEPT", "application/json"),
        ("accept-language", "de"),
        ("Content-Type", "application/merge-patch+json"),
        ("If-Match", '"a"'),
        ("If-Match", '"b"'),
        ("Range", "bytes=0-1"),
        ("Idempotency-Key", "k"),
        ("traceparent", "00-1-2-01"),
        ("Last-Event-ID", "7"),
        ("Prefer", "return=minimal"),
    ]

    assert sent(NOTES, *fields) == fields


@pytest.mark.parametrize(
    "name",
    [
        *("Cookie", "Authorization", "Proxy-Authorization", "X-CSRF", "Origin", "Referer", "Host", "DPoP"),
        *("Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Expect"),
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-User", "X-Real-IP", "Via", "X-Original-URL"),
        *("X_Forwarded_User", "If_Match", "content_type", "X-HTTP-Method-Override", "client-request-id"),
        *("Sec-Fetch-Site", "Sec-WebSocket-Key", "Access-Control-Request-Method", "User-Agent", "baggage", "DNT"),
        *("X-Notebook", "api_key", "Accept ", "Acc\u00e9pt"),
    ],
)  # fmt: skip
def test_S47_nothing_else_goes_out(name: str) -> None:
    assert sent(NOTES, (name, "x")) == []


def test_S47_what_connection_names_is_for_the_gateway_alone() -> None:
    fields = [
        ("Connection", "close, IF-MATCH ,prefer"),
        ("Connection", "Accept"),
        ("If-Match", '"a"'),
        ("Prefer", "x"),
        ("Accept", "y"),
        ("Range", "z"),
    ]

    assert sent(NOTES, *fields) == [("Range", "z")]
    assert got(NOTES, ("Connection", "ETag"), ("ETag", '"a"'), ("Vary", "Accept")) == [("Vary", "Accept")]


def test_a_row_lets_more_through_to_the_letter() -> None:
    assert sent(LISTED, ("X-Notebook", "a"), ("API_KEY", "b"), ("api-key", "c"), ("X_Notebook", "d")) == [
        ("X-Notebook", "a"),
        ("API_KEY", "b"),
    ]
    assert got(LISTED, ("X-TOTAL-COUNT", "3"), ("X_Total_Count", "4")) == [("X-TOTAL-COUNT", "3")]


def test_a_type_that_is_named_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match=r"^Content-Type must be there once\.$"):
        sent(NOTES, ("Content-Type", "application/json"), ("content-type", "text/plain"))


def test_what_is_no_utf8_can_be_written_again() -> None:
    latin = b'attachment; filename="caf\xe9"'.decode(errors="surrogateescape")

    assert got(NOTES, ("Content-Disposition", latin)) == [
        ("Content-Disposition", 'attachment; filename="café"')
    ]
    assert sent(NOTES, ("If-Match", b'"\xff"'.decode(errors="surrogateescape"))) == [("If-Match", '"ÿ"')]
    assert sent(NOTES, ("Prefer", "é")) == [("Prefer", "é")]


def test_S47_what_is_safe_comes_in() -> None:
    fields = [
        ("Content-Type", "text/event-stream"),
        ("ETag", '"a"'),
        ("Last-Modified", "Fri, 27 Nov 2026 00:00:00 GMT"),
        ("Retry-After", "7"),
        ("Content-Encoding", "gzip"),
        ("Content-Range", "bytes 0-1/2"),
        ("Vary", "Accept"),
        ("Vary", "Accept-Language"),
        ("Allow", "GET"),
    ]

    assert got(NOTES, *fields) == fields


@pytest.mark.parametrize(
    "name",
    [
        *(
            "Set-Cookie",
            "Set-Cookie2",
            "Server",
            "X-Powered-By",
            "Via",
            "Date",
            "WWW-Authenticate",
            "Refresh",
        ),
        *(
            "Access-Control-Allow-Origin",
            "Access-Control-Allow-Credentials",
            "Timing-Allow-Origin",
            "Alt-Svc",
        ),
        *("Connection", "Transfer-Encoding", "Content-Length", "Trailer", "Upgrade", "Proxy-Authenticate"),
        *("Clear-Site-Data", "Service-Worker-Allowed", "Strict-Transport-Security", "Report-To", "SourceMap"),
        *("Cache-Control", "Expires", "Age", "Pragma", "X-Total-Count", "Content_Type", "client-request-id"),
        *answer_headers("https://profile.example"),
    ],
)
def test_S47_nothing_else_comes_in(name: str) -> None:
    assert got(NOTES, (name, "x")) == []


def test_a_row_that_is_cached_says_for_how_long_itself() -> None:
    fields = [("Cache-Control", "private, max-age=60"), ("Age", "3"), ("Expires", "0")]

    assert got(LISTED, *fields, ("Pragma", "no-cache")) == fields


def test_S47_no_row_can_list_what_the_gateway_says_itself() -> None:
    assert [name for name in answer_headers("https://profile.example") if not never_comes_in(name)] == []


def test_what_leads_somewhere_leads_through_the_gateway_or_is_left_out() -> None:
    assert got(
        NOTES,
        ("Location", "/v1/8"),
        ("Content-Location", "/internal"),
        ("Link", '</v1/9>; rel="next", </internal>; rel=up'),
        ("Link", "</internal>; rel=up"),
    ) == [("Location", "/api/notes/8"), ("Link", '</api/notes/9>; rel="next"')]


def test_S47_names_in_any_number_of_spellings_are_told_apart_as_the_first_ones_were() -> None:
    spellings = ["".join(letters) for letters in itertools.product(*zip("accept", "ACCEPT", strict=True))]
    strange = [f"x-{number:x}" for number in range(2_000)]

    for _ in range(2):
        for name in [*strange, "x" * 5_000, "Cookie", "COOKIE", "authorization"]:
            assert sent(NOTES, (name, "a")) == [], name
        for name in spellings:
            assert sent(NOTES, (name, "a")) == [(name, "a")], name
