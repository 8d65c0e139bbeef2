"""What goes to an upstream and where an upstream leads, against second readers: a request's target, and addresses."""

import re
from typing import Final
from urllib.parse import urlsplit

from multidict import CIMultiDict
from yarl import URL

from gateway.proxy.headers import inward, outward
from gateway.proxy.led_addresses import link_as_seen_by_browsers, seen_by_browsers
from gateway.proxy.paths import UpstreamPaths, address_of
from gateway.upstream_rows import UpstreamRow
from gateway.upstream_rows.headers import never_comes_in, never_goes_out
from servicekit.errors import BadRequest
from tests.fuzz.target import Target, text_of

_NOTES: Final = UpstreamRow(name="notes", prefix="/api/notes", target="https://notes.example/v1")
_DEEPER: Final = UpstreamRow(
    name="deeper", prefix="/api/notes/deeper", target="https://deep.example", methods=("POST",)
)
_PATHS: Final = UpstreamPaths((_NOTES, _DEEPER))
_ASKED: Final = "https://notes.example/v1/shelf/7?page=1"
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


def _read_loosely(path: bytes) -> list[bytes]:
    """Return the steps of a path as the most careless server takes them: decoded, a backslash a slash, `;x` nothing."""
    decoded = _PERCENT.sub(lambda found: bytes([int(found[1], 16)]), path).replace(b"\\", b"/")
    steps: list[bytes] = []
    for step in decoded.split(b"/")[1:]:
        name = step.split(b";")[0]
        if name == b"..":
            steps.append(b"CLIMBS")
        elif name != b".":
            steps.append(step)
    return steps


def _check_target(data: bytes) -> None:
    target = text_of(data)
    prefix = _PATHS.prefix_of(target)
    rows = _PATHS.rows_of(target)
    assert bool(rows) == (prefix is not None)
    if prefix is None:
        return
    row = next(iter(rows.values()))
    try:
        address = address_of(row, target)
    except BadRequest:
        return
    # To the letter: behind the prefix nothing is changed, and in front of it there is the target.
    bare = data.split(b"?")[0]
    origin = re.match(rb"https?://[^/?#]*", data, re.IGNORECASE)
    path = bare[origin.end() :] if origin else bare
    rest = path.removeprefix(prefix.encode()) + data[len(bare) :]
    assert address.encode() in {row.target.encode() + rest, f"{row.target}/".encode() + rest}
    # A client that sends it, and a server that decodes it once, stay where the row leads.
    sent = URL(address, encoded=True)
    assert (sent.scheme, sent.host) == ("https", urlsplit(row.target).hostname)
    assert f"{sent.origin()}{sent.raw_path_qs}" == address or not address.isascii() or "?" in address
    steps = _read_loosely(path)
    assert b"CLIMBS" not in steps
    assert steps[: prefix.count("/")] == prefix.encode().split(b"/")[1:]
    assert not any(byte < 32 or byte == 127 for step in steps for byte in step)
    # The longest prefix by whole segments, as a reader of segments finds it.
    segments = path.split(b"/")
    assert (segments[:4] == [b"", b"api", b"notes", b"deeper"]) == (row is _DEEPER)


def _check_led(data: bytes) -> None:
    text = text_of(data)
    seen = seen_by_browsers(_NOTES, text, asked=_ASKED)
    if seen is not None:
        parts = urlsplit(seen)
        ours = seen == "/api/notes" or seen.startswith(("/api/notes/", "/api/notes?", "/api/notes#"))
        assert ours or (parts.scheme in {"http", "https"} and parts.hostname)
        assert ours or parts.hostname != "notes.example" or (parts.scheme, parts.port) != ("https", None)
        assert not re.search(r"[\\\x00-\x20\x7f]", seen)
        assert not ours or not re.search(r"/(?:\.|%2e){1,2}(?:/|$)", parts.path, re.IGNORECASE)
    link = link_as_seen_by_browsers(_NOTES, text, asked=_ASKED)
    assert link is None or link.startswith("<")


def _check_fields(data: bytes) -> None:
    pairs = [line.partition(b":") for line in data.split(b"\n")]
    fields = CIMultiDict([(text_of(name), text_of(value.strip())) for name, _, value in pairs])
    try:
        out = outward(_NOTES, fields)
    except BadRequest:
        out = []
    for name, value in out:
        assert not never_goes_out(name)
        value.encode()
    for name, value in inward(_NOTES, fields, asked=_ASKED).items():
        assert not never_comes_in(name)
        value.encode()


TARGETS: Final = (
    Target(
        "upstream-target",
        "what goes to an upstream is what the browser asked, byte for byte, and stays below the row's target",
        _check_target,
        [
            *(b"/api/notes", b"/api/notes/deeper", b"/", b"..", b".", b"%2e", b"%2f", b"%5c", b"\\", b";", b"?", b"#"),
            *(b"%", b"%25", b"%00", b"%c0%ae", b"\xc3\xa9", b"\xff", b"@", b"http://", b"//", b"%C3%A9", b"&x=1", b" "),
        ],
    ),
    Target(
        "upstream-location",
        "an upstream leads through the gateway, to another server, or nowhere",
        _check_led,
        [
            *(b"https://notes.example", b"/v1", b"/", b"..", b"?", b"#", b"//", b"\\", b"%2e", b"<", b">", b";", b","),
            *(b'"', b'; rel="next"', b"javascript:", b"@", b":443", b"http://evil.example", b"[", b"]", b"\t", b"\xff"),
        ],
    ),
    Target(
        "upstream-fields",
        "no field goes through that never does, and each can be written",
        _check_fields,
        [
            *(b"\n", b": ", b"Connection", b"Cookie", b"X_Forwarded_For", b"If-Match", b"Content-Type", b"Location"),
            *(b"Link", b"</v1/8>; rel=next", b"Set-Cookie", b"ETag", b"\xff", b"\xc3\xa9", b"close", b",", b'"', b" "),
        ],
    ),
)  # fmt: skip
