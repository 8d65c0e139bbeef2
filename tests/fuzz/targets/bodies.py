"""JSON bodies: read strictly, and as a change of a profile."""

import json
import unicodedata
from typing import Any, Final

from gateway.profile.fields import EDITABLE, profile_of
from servicekit.strict_json import DEEPEST, NotStrictJson, load_strict_json
from servicekit.text_fields import FieldFaults
from tests.fuzz.target import Target

_LIMITS: Final = {field.name: field.longest for field in EDITABLE}
_LINES: Final = {field.name for field in EDITABLE if field.lines}
_TURNING: Final = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def _never(name: str) -> None:
    raise AssertionError(name)


def _check_json(data: bytes) -> None:
    try:
        value = load_strict_json(data)
    except NotStrictJson as refused:
        assert data.decode(errors="replace")[:40] not in str(refused) or len(data) < 12
        return
    assert json.loads(data, object_pairs_hook=_once, parse_constant=_never) == value
    assert _depth(value) <= DEEPEST
    assert json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


def _check_patch(data: bytes) -> None:
    try:
        changes = EDITABLE.read(load_strict_json(data))
    except NotStrictJson:
        return
    except FieldFaults as faults:
        told = [fault.as_json() for fault in faults.errors]
        assert 0 < len(told) <= 20
        json.dumps(told, ensure_ascii=False).encode()
        assert all(fault["field"].isprintable() for fault in told)
        return
    assert changes.keys() <= set(EDITABLE.names)
    for name, value in changes.items():
        assert value is None or (value == value.strip() and value)
        assert len((value or "").encode("utf-16-le")) // 2 <= _LIMITS[name]
        seen = (value or "").replace("\r", "").replace("\n", "") if name in _LINES else value or ""
        assert not _TURNING & set(seen)
        assert not {"Cc", "Zl", "Zp", "Cs"} & {unicodedata.category(sign) for sign in seen}
    assert EDITABLE.read(changes) == changes
    profile_of({"id": "x", **changes})


_WORDS: Final = [
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b'"',
        b"\\",
        b"\\u0000",
        b"\\ud83d",
        b"\\ude00",
        b"null",
        b"true",
        b"NaN",
        b" ",
    ),
    *(
        b"-Infinity",
        b"1e999",
        b"-0",
        b"0.1",
        b"12345678901234567890123",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xed\xa0\x80",
        b"//",
    ),
    *(
        b"[[[[[[[[[",
        b'"a":',
        b'{"a":1,"a":2}',
        b'{"city":"Paris"}',
        b"\xe2\x80\xae",
        b"\xe2\x80\xa8",
        b"\\u202e",
    ),
    *(f'"{name}":'.encode() for name in EDITABLE.names),
]

TARGETS: Final = (
    Target(
        "json-body",
        "JSON is refused, or read as every other parser reads it, no deeper than it should be",
        _check_json,
        _WORDS,
    ),
    Target(
        "profile-patch",
        "a change is refused, or has fields that may be changed, trimmed, short enough and without hidden signs",
        _check_patch,
        _WORDS,
    ),
)
