"""Typed short texts: limits, one spelling, coded faults (S44)."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.text_fields import FieldFaults, TextField, TextFields

FIELDS = TextFields(
    [
        TextField("name", 8, required=True),
        TextField("town", 4),
        TextField("tongue", 5, form=re.compile("[a-z]{2}(-[A-Z]{2})?"), form_says="a language such as en-US"),
    ]
)


def faults(body: object) -> list[tuple[str, str]]:
    with pytest.raises(FieldFaults) as caught:
        FIELDS.read(body)
    assert all(error.detail for error in caught.value.errors)
    return [(error.field, error.code) for error in caught.value.errors]


def test_values_come_in_declared_order_trimmed_and_composed() -> None:
    read = FIELDS.read({"town": " Zu\u0308r ", "name": "Ada"})

    assert list(read.items()) == [("name", "Ada"), ("town", "Z\u00fcr")]


@pytest.mark.parametrize("empty", ["", "   ", "\u00a0", "\t", None])
def test_empty_clears_what_may_be_empty_and_is_a_fault_elsewhere(empty: str | None) -> None:
    assert FIELDS.read({"town": empty}) == {"town": None}
    assert faults({"name": empty}) == [("name", "required")]


@pytest.mark.parametrize("value", [0, 1.5, True, [], {}, ["a"]])
def test_only_text_is_text(value: object) -> None:
    assert faults({"town": value}) == [("town", "wrong_type")]


@pytest.mark.parametrize("value", ["12345", "😀😀1", "e\u0301" * 5])
def test_lengths_are_utf16_units_after_composing(value: str) -> None:
    assert faults({"town": value}) == [("town", "too_long")]


@pytest.mark.parametrize("value", ["1234", "😀😀", "e\u0301" * 4, "a\u200db"])
def test_what_fits_fits(value: str) -> None:
    assert FIELDS.read({"town": value}) == {"town": unicodedata.normalize("NFC", value)}


@pytest.mark.parametrize(
    "bad", ["\x00", "\x1b", "\n", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066"]
)
def test_what_nobody_sees_is_refused(bad: str) -> None:
    assert faults({"town": f"a{bad}b"}) == [("town", "invalid_value")]


@pytest.mark.parametrize("value", ["\u200b", "\u2060\ufeff", "\u200d \u200c", "\u00ad"])
def test_a_text_of_which_nothing_is_seen_is_refused(value: str) -> None:
    assert faults({"name": value}) == [("name", "invalid_value")]


@pytest.mark.parametrize("value", ["en-us", "EN", "e", "en_US"])
def test_a_form_is_held(value: str) -> None:
    assert faults({"tongue": value}) == [("tongue", "invalid_value")]


def test_every_fault_is_told_and_strange_names_are_tamed() -> None:
    body = {"name": "", "town": 1, "a\nb": 1, "x" * 100: 1}

    reported = faults(body)

    assert ("a?b", "unknown_field") in reported
    assert ("x" * 64 + "…", "unknown_field") in reported
    assert {("name", "required"), ("town", "wrong_type")} <= set(reported)


def test_a_thousand_strange_names_are_twenty_faults() -> None:
    assert len(faults({f"x{number}": 1 for number in range(1000)})) == 20


@pytest.mark.parametrize("body", [[], "a", 1, None, True])
def test_the_body_is_an_object(body: object) -> None:
    assert faults(body) == [("", "wrong_type")]


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*FIELDS.names, "other"]), st.none() | st.integers() | st.text(max_size=12)
    )
)
def test_S44_what_is_read_obeys_the_limits_and_reads_the_same_again(body: dict[str, object]) -> None:
    try:
        read = FIELDS.read(body)
    except FieldFaults:
        return
    assert read.keys() <= set(FIELDS.names)
    assert FIELDS.read(read) == read
    for field in FIELDS:
        value = read.get(field.name)
        assert len((value or "").encode("utf-16-le")) // 2 <= field.longest
        assert value != ""
