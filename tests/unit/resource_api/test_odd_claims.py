"""Claims that name nobody, or look like somebody else's, in tokens that the authority has signed (A8, S40)."""

import pytest

from tests.unit.resource_api.stage import SCOPE, Stage

CHANGE = {"city": "Turin"}
NO_NAMES = [
    "",
    " ",
    "\u0000",
    "ada\u0000",
    "ada\n",
    "\u202eada",
    "\u200b",
    "x" * 4_000,
    7,
    True,
    None,
    [],
    ["ada"],
    {"sub": "ada"},
    "ada\ud800",
]


@pytest.mark.parametrize("name", ["sub", "oid", "tid", "azp", "aud", "iss"])
async def test_A8_S40_a_claim_that_decides_names_somebody(stage: Stage, name: str) -> None:
    # The library that signs here makes no token with another kind of `iss`; test_jwt_claims.py has those.
    values = [value for value in NO_NAMES if name != "iss" or isinstance(value, str)]
    answers = [await stage.patch(CHANGE, stage.forged(**{name: value})) for value in values]

    assert [(answer.status, answer.slug, answer.challenge.error) for answer in answers] == [
        (401, "invalid-token", "invalid_token")
    ] * len(values)
    assert await stage.asked("token.on_behalf_of") == []


async def test_A8_S40_a_scope_is_a_whole_word_between_blanks(stage: Stage) -> None:
    marks = ("\u0000", "\t", "\n", "\u00a0", "\u200b", "\u2028", "\u202e")
    near = [
        "",
        " ",
        "x " * 2_000,
        *(f"other{mark}{SCOPE}" for mark in marks),
        *(SCOPE + mark for mark in marks),
    ]

    answers = [await stage.patch(CHANGE, stage.forged(scp=scp)) for scp in near]

    assert {(answer.status, answer.challenge.error) for answer in answers} == {(403, "insufficient_scope")}


async def test_A8_S40_a_scope_of_another_form_is_no_scope(stage: Stage) -> None:
    odd = [7, True, None, [SCOPE], {SCOPE: 1}, f"{SCOPE} \ud800"]

    answers = [await stage.patch(CHANGE, stage.forged(scp=scp)) for scp in odd]

    assert {(answer.status, answer.slug) for answer in answers} == {(401, "invalid-token")}


@pytest.mark.parametrize("name", ["name", "preferred_username", "appid", "sid", "nonce", "jti", "email", "x"])
async def test_A8_S40_a_claim_that_nobody_reads_here_never_decides(stage: Stage, name: str) -> None:
    odd = ["", " ", "\u202e\u0000", "x" * 2_000, 7, ["x"], None]

    for value in odd:
        await stage.patch(CHANGE, stage.forged(**{name: value}))

    # Each is believed here, and it is the tenant that knows no such token.
    assert len(await stage.asked("token.on_behalf_of")) == len(odd)
