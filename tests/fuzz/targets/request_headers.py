"""Small header fields: what a browser calls itself, entity tags, ids of requests."""

import re
from typing import Final

from gateway.edge.devices import device_name
from servicekit.errors import BadRequest
from servicekit.http.conditions import if_match, matches
from servicekit.reference import RequestId
from tests.fuzz.target import Target, text_of
from tests.stage.parsed_request import parsed_request

_OURS: Final = '"0123456789abcdef0123456789abcdef"'
_NAME: Final = re.compile(r"[A-Za-z ]{0,40}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _check_device(data: bytes) -> None:
    assert _NAME.fullmatch(device_name(text_of(data)))


def _strong_tags(text: str) -> list[str]:
    """Read a list of entity tags sign by sign (RFC 9110, section 8.8.3)."""
    tags, at = [], 0
    while at < len(text):
        if text[at] != '"':
            at += 1
            continue
        end = text.index('"', at + 1)
        if not text[:at].endswith("W/"):
            tags.append(text[at : end + 1])
        at = end + 1
    return tags


def _check_tags(data: bytes) -> None:
    request = parsed_request(("If-Match", text_of(line)) for line in data.split(b"\n"))
    if request is None:
        return
    try:
        condition = if_match(request)
    except BadRequest:
        return
    assert condition is not None
    assert matches(condition, _OURS) == (condition == "*" or _OURS in _strong_tags(condition))


def _check_request_id(data: bytes) -> None:
    found = RequestId.read(text_of(data))
    if found is not None:
        assert _UUID.fullmatch(found.text)
        assert found.text == text_of(data).lower()
        assert re.fullmatch(r"[0-9A-Z-]{9}", found.reference)


TARGETS: Final = (
    Target(
        "user-agent",
        "a device has one of our own names, in letters",
        _check_device,
        [
            b"Mozilla/5.0 (",
            b"Edg",
            b"Firefox/",
            b"Safari/",
            b"iPhone",
            b"Windows",
            b"\xff",
            b"\r",
            b"<b>",
            b" on ",
        ],
    ),
    Target(
        "entity-tags",
        "a condition is refused, or holds for a strong tag that it names",
        _check_tags,
        [b'"', b"W/", b",", b", ", b" ", b"*", b"\n", _OURS.encode(), b"\\", b"\xff", b"\t", b'""'],
    ),
    Target(
        "request-id",
        "an id of a request is a UUID in the plain spelling, or none",
        _check_request_id,
        [
            b"-",
            b"{",
            b"}",
            b"urn:uuid:",
            b"0123abcd",
            b"ABCD",
            b"\xd9\xa1",
            b"00000000-0000-4000-8000-00000000000",
        ],
    ),
)
