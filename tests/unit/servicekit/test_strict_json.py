"""S50: JSON in one reading, or not at all."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.strict_json import NotStrictJson, load_strict_json

WORDS = {
    "not JSON": r"not JSON at line \d+, column \d+",
    "not UTF-8": "not UTF-8",
    "twice": "a name appears twice in one object",
    "NaN": "NaN and Infinity are not JSON",
    "too large": "a number is too long or too large",
    "too long": "a number is too long",
    "surrogate": "half of a surrogate pair",
    "levels": "nested more than 8 levels deep",
}


@pytest.mark.parametrize(
    "text, why",
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"'a'", "not JSON"),
        (b"01", "not JSON"),
        (b'"a\nb"', "not JSON"),
        (b"\xff", "not UTF-8"),
        ('"é"'.encode("latin-1"), "not UTF-8"),
        ("{}".encode("utf-16"), "not UTF-8"),
        (b"\xed\xa0\x80", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":1,"\\u0061":2}', "twice"),
        (b'[{"b":{"a":1,"a":1}}]', "twice"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "NaN"),
        (b"-Infinity", "NaN"),
        (b"1e400", "too large"),
        (b"-1e400", "too large"),
        (b"1" * 21, "too long"),
        (b"1." + b"1" * 19, "too large"),
        (b"1." + b"1" * 30, "too large"),
        (b"9" * 100_000, "too long"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'{"\\ud800":1}', "surrogate"),
        (b"[" * 9 + b"]" * 9, "levels"),
        (b"[" * 1_000_000, "levels"),
        (b"[[]," + b"[" * 8 + b"]" * 9, "levels"),
        (b'[{"a":1},' + b"[" * 8 + b"]" * 9, "levels"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "levels"),
        (b'[{"a":[{"a":[{"a":[{"a":[]}]}]}]}]', "levels"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_S50_it_is_refused_with_a_reason_that_quotes_nothing(text: bytes, why: str) -> None:
    with pytest.raises(NotStrictJson, match=f"^{WORDS[why]}$"):
        load_strict_json(text)


@pytest.mark.parametrize(
    "text, value",
    [
        (b'{"a":"[[[[[[[[[[[[[["}', {"a": "[" * 14}),
        (b'"\\"[[[[[[[[[[[["', '"[[[[[[[[[[[['),
        (b"[" + b"[]," * 20 + b"{}]", [*[[]] * 20, {}]),
        (b"[" + b'{"a":1},' * 20 + b"[]]", [*[{"a": 1}] * 20, []]),
        (b"1." + b"1" * 18, 1.1111111111111112),
        (b"1" * 20, 11111111111111111111),
        (b"[" * 8 + b"]" * 8, [[[[[[[[]]]]]]]]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b' {"a" : null} \n', {"a": None}),
        (b"12345678901234567890", 12345678901234567890),
        (b"-0.5e3", -500.0),
    ],
    ids=repr,
)
def test_what_is_plain_json_is_read(text: bytes, value: object) -> None:
    assert load_strict_json(text) == value


@pytest.mark.parametrize(
    "text", [b'"' + b'\\"' * 500_000, b'"' * 500_001, b"\\" * 1_000_000, b'{"' * 300_000]
)
def test_S50_hostile_text_takes_linear_time(text: bytes) -> None:
    start = time.thread_time()
    with pytest.raises(NotStrictJson):
        load_strict_json(text)
    assert time.thread_time() - start < 2


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(plain, st.booleans())
def test_what_json_writes_is_read_the_same(value: object, ascii_only: bool) -> None:  # noqa: FBT001 - a drawn value
    assert load_strict_json(json.dumps(value, ensure_ascii=ascii_only).encode(), deepest=50) == value


@settings(max_examples=200)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dae1-.', max_size=60).map(str.encode))
def test_S50_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value = load_strict_json(data)
    except NotStrictJson:
        return
    json.dumps(value, allow_nan=False).encode()
