"""Typed short texts: limits, kept as they were typed, coded faults (S44)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.text_fields import FieldFaults, TextField, TextFields, same_text

FIELDS = TextFields(
    [
        TextField("name", 8, required=True),
        TextField("town", 4),
        TextField("street", 40, lines=True),
        TextField("tongue", 5, form=re.compile("[a-z]{2}(-[A-Z]{2})?"), form_says="a language such as en-US"),
    ]
)


def faults(body: object) -> list[tuple[str, str]]:
    with pytest.raises(FieldFaults) as caught:
        FIELDS.read(body)
    assert all(error.detail for error in caught.value.errors)
    return [(error.field, error.code) for error in caught.value.errors]


def test_values_come_in_declared_order_and_trimmed() -> None:
    read = FIELDS.read({"town": " Z\u00fcr ", "name": "Ada"})

    assert list(read.items()) == [("name", "Ada"), ("town", "Z\u00fcr")]


@pytest.mark.parametrize(
    "typed",
    [
        "\ufa1b",  # another form of U+798F, which NFC would put in its place
        "\uf900",
        "\U0002f800",
        "\u212b",
        "A\u030a",
        "\u1112\u1161\u11ab",  # Hangul in jamo
        "\ud55c",
        "\u0958",  # excluded from composing: NFC would take it apart
        "\u1e9b\u0323",
        "\ufb01",
        "\u0645\u200c\u06cc",  # Persian, with a non-joiner
        "\u0915\u094d\u200d",  # Devanagari, with a joiner
        "\u200fא",
        "\u845b\U000e0100",  # a variation that a family insists on
    ],
)
def test_D4_a_name_is_kept_as_it_was_typed(typed: str) -> None:
    assert FIELDS.read({"name": typed}) == {"name": typed}


@pytest.mark.parametrize(
    "emoji", ["👩🏽‍🚀", "❤️", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"]
)
def test_D4_an_emoji_is_kept_in_one_piece(emoji: str) -> None:
    assert FIELDS.read({"street": emoji}) == {"street": emoji}


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("\ufa1b", "\u798f", True),
        ("A\u030a", "\u212b", True),
        ("1\r\n2", "1\n2", True),
        ("1\r2", "1\n2", True),
        (None, "", True),
        ("a", "A", False),
        ("a b", "ab", False),
        ("1\n2", "12", False),
        (None, "a", False),
    ],
)
def test_D4_what_a_directory_respells_is_the_same_text(
    one: str | None, other: str | None, *, same: bool
) -> None:
    assert same_text(one, other) is same


@pytest.mark.parametrize(
    "value", ["Flat 3\n12 Row", "Flat 3\r\n12 Row", "Flat 3\r12 Row", "a\n\nb", "a\n\r\nb"]
)
def test_D1_a_field_of_several_lines_keeps_them_as_they_are(value: str) -> None:
    assert FIELDS.read({"street": value}) == {"street": value}
    assert faults({"town": value[-2:] + "\n" + "b"}) == [("town", "invalid_value")]


def test_D1_lines_are_trimmed_at_the_ends_and_count() -> None:
    assert FIELDS.read({"street": "\r\n a\nb \n"}) == {"street": "a\nb"}
    assert faults({"street": "a\r\n" * 14 + "b"}) == [("street", "too_long")]


@pytest.mark.parametrize("bad", ["\t", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\x00", "\u202e"])
def test_D1_only_line_breaks_are_let_into_a_field_of_several_lines(bad: str) -> None:
    assert faults({"street": f"a{bad}b"}) == [("street", "invalid_value")]


@pytest.mark.parametrize("empty", ["", "   ", "\u00a0", "\t", None])
def test_empty_clears_what_may_be_empty_and_is_a_fault_elsewhere(empty: str | None) -> None:
    assert FIELDS.read({"town": empty}) == {"town": None}
    assert faults({"name": empty}) == [("name", "required")]


@pytest.mark.parametrize("value", [0, 1.5, True, [], {}, ["a"]])
def test_only_text_is_text(value: object) -> None:
    assert faults({"town": value}) == [("town", "wrong_type")]


@pytest.mark.parametrize("value", ["12345", "😀😀1", "e\u0301" * 5])
def test_lengths_are_utf16_units(value: str) -> None:
    assert faults({"town": value}) == [("town", "too_long")]


@pytest.mark.parametrize("value", ["1234", "😀😀", "e\u0301" * 2, "a\u200db"])
def test_what_fits_fits(value: str) -> None:
    assert FIELDS.read({"town": value}) == {"town": value}


@pytest.mark.parametrize(
    "bad", ["\x00", "\x1b", "\n", "\r", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066"]
)
def test_what_nobody_sees_is_refused(bad: str) -> None:
    assert faults({"town": f"a{bad}b"}) == [("town", "invalid_value")]


@pytest.mark.parametrize(
    "value",
    [
        *(
            "\u200b",
            "\u200c",
            "\u200d",
            "\u2060\ufeff",
            "\u200d \u200c",
            "\u00ad",
            "\u3164",
            "\u115f",
            "\u1160",
        ),
        *("\uffa0", "\u115f\u1160", "\u2800", "\u2800\u3164 ", "\u180e", "\u180b", "\ufe0f", "\U000e0100"),
        *("\U000e0041\U000e007f", "\u034f", "\u17b5", "\u200e", "\u061c", "\u2028", "\U0001d159", "\u3000"),
    ],
)
def test_D5_a_text_of_which_nothing_is_seen_is_empty(value: str) -> None:
    assert faults({"name": value}) == [("name", "required")]
    assert FIELDS.read({"town": value}) == {"town": None}


@pytest.mark.parametrize("value", ["\u3164a", "a\u3164", "\u115f\u1161", "\u2801", "\u0301", "·", "ー"])
def test_D5_a_text_of_which_something_is_seen_is_not_empty(value: str) -> None:
    assert FIELDS.read({"name": value}) == {"name": value}


def test_D5_everything_that_unicode_says_may_be_ignored_is_unseen() -> None:
    """By the list of Unicode 16's DerivedCoreProperties.txt, Default_Ignorable_Code_Point."""
    ranges = (
        "00AD 034F 061C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 "
        "FFF0-FFF8 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
    )
    for first, _, last in (part.partition("-") for part in ranges.split()):
        for code in range(int(first, 16), int(last or first, 16) + 1):
            assert FIELDS.read({"town": chr(code)}) == {"town": None}, hex(code)


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


@settings(max_examples=200)
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
