"""What may name somebody in a token, and what is shown of a name (A8, S40)."""

import pytest

from servicekit.claim_forms import LONGEST_SHOWN, is_name, name_of, shown_text
from servicekit.jwt_form import CLAIM_INVALID, TokenRejected

NO_NAMES = [
    "",
    " ",
    "   ",
    "\t",
    "\u3000",
    "\u00a0",
    "ada\n",
    "\u0000",
    "ada\u0000",
    "ada\u001b[31m",
    "ada\u007f",
    "ada\u0085",
    "a\u200bda",
    "\u202eada",
    "\u2066ada\u2069",
    "\ufeffada",
    "a\u00adda",
    "ada\u2028",
    "ada\ud800",
    "ada\ue000",
    "n" * 256,
    "n" * 10_000,
]
NAMES = [
    "0",
    "n" * 255,
    "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    "9f8e7d6c-5b4a-4039-8271-6a5b4c3d2e1f",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "f:3c9c:M\u00fcller",
    "CN=Ada Lovelace,C=GB",
    "https://login.example.com/id/00D/005",
    "\u738b\u5c0f\u660e",
]


@pytest.mark.parametrize("value", NO_NAMES, ids=ascii)
def test_A8_S40_what_nobody_sees_or_remembers_is_no_name(value: str) -> None:
    assert not is_name(value)
    with pytest.raises(TokenRejected) as raised:
        name_of({"sub": value}, "sub")
    assert (raised.value.code, raised.value.claim) == (CLAIM_INVALID, "sub")


@pytest.mark.parametrize("value", NAMES)
def test_A8_S40_the_names_of_real_providers_are_taken(value: str) -> None:
    assert name_of({"sub": value}, "sub") == value


@pytest.mark.parametrize("value", [7, True, ["ada"], {"a": 1}, 1.5], ids=repr)
def test_A8_S40_what_is_no_text_is_no_name(value: object) -> None:
    with pytest.raises(TokenRejected):
        name_of({"sub": value}, "sub")
    assert shown_text(value) == ""


@pytest.mark.parametrize(
    "value, shown",
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("\u738b\u5c0f\u660e", "\u738b\u5c0f\u660e"),
        ("Zoe\u0301", "Zoe\u0301"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        (" Ada\u00a0Lovelace\n", "Ada Lovelace"),
        ("Ada\tLovelace", "Ada Lovelace"),
        ("Ada\u0000\u001b[31m", "Ada[31m"),
        ("\u202eecalevoL adA", "ecalevoL adA"),
        ("Ada\u2066\u2069\ufeff\u200b", "Ada"),
        ("Ada\u2028Lovelace", "Ada Lovelace"),
        ("\u200d\u200c", ""),
        ("\u0000\u202e", ""),
        ("  ", ""),
        ("A" * 10_000, "A" * LONGEST_SHOWN),
        ("A" * 257, "A" * 256),
        ("X", "X"),
        (None, ""),
    ],
    ids=ascii,
)
def test_A8_what_is_shown_of_a_name_is_what_can_be_seen(value: object, shown: str) -> None:
    assert shown_text(value) == shown


@pytest.mark.parametrize(
    "value, shown",
    [("Ada  Lovelace", "Ada Lovelace"), (" Ada\tKing \n Lovelace ", "Ada King Lovelace"), ("  ", "")],
)
def test_A8_words_that_are_shown_stand_one_space_apart(value: str, shown: str) -> None:
    assert shown_text(value) == shown
