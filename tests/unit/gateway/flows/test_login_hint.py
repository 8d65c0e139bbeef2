"""What of a person may stand in an address: the authority's own opaque hint, and nothing else (A8, S35)."""

import pytest

from gateway.flows.login_hint import login_hint

CLAIMS = {
    "sub": "a-subject-of-43-characters",
    "oid": "9f8e7d6c-5b4a-4039-8271-6a5b4c3d2e1f",
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "preferred_username": "ada@example.com",
    "upn": "CONTOSO\\ada",
    "phone_number": "+493012345678",
    "iat": 1,
}


@pytest.mark.parametrize("hint", ["O.CiQ5Zjk4ZTctAdaX_Yw==", "a", "user:4711", "x" * 1024])
def test_A8_the_authoritys_opaque_hint_is_passed_on_as_it_is(hint: str) -> None:
    assert login_hint({**CLAIMS, "login_hint": hint}) == hint


@pytest.mark.parametrize(
    "hint",
    [
        "ada@example.com",
        "ADA@EXAMPLE.COM",
        "another@example.com",
        "ada%40example.com",
        "Ada Lovelace",
        "Ada",
        "ada",
        "a-subject-of-43-characters",
        CLAIMS["oid"],
        str(CLAIMS["oid"]).upper(),
        f"u:{CLAIMS['oid']}:x",
        "CONTOSO\\ada",
        "+493012345678",
        "",
        " ",
        "x" * 1025,
        "hint\n",
        "hint&prompt=none",
        "hint#",
        "\u200bhint",
        "hint\ud800",
        7,
        None,
        ["a-hint"],
        {"a": "hint"},
        True,
    ],
)
def test_A8_whatever_names_the_person_is_no_hint(hint: object) -> None:
    assert login_hint({**CLAIMS, "login_hint": hint}) is None


def test_A8_without_the_claim_there_is_none() -> None:
    assert login_hint(CLAIMS) is None


@pytest.mark.parametrize("name, is_told", [("abcdef", True), ("abcde", False)])
def test_A8_six_letters_of_a_name_are_no_coincidence(name: str, *, is_told: bool) -> None:
    claims = {"given_name": name, "login_hint": f"x.{name}.y"}

    assert (login_hint(claims) is None) is is_told
