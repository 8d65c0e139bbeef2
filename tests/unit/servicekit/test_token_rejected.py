"""What a rejected token says of itself: a code, a claim, and whether nothing but the time speaks against it."""

import pytest

from servicekit.jwt_form import CLAIM_INVALID, EXPIRED, NOT_YET_VALID, SIGNATURE, TokenRejected


@pytest.mark.parametrize(
    "code, is_of_the_clock",
    [(EXPIRED, True), (NOT_YET_VALID, True), (CLAIM_INVALID, False), (SIGNATURE, False)],
)
def test_R21_what_only_the_time_speaks_against_is_told_as_such(code: str, *, is_of_the_clock: bool) -> None:
    assert TokenRejected(code, "exp").is_of_the_clock is is_of_the_clock


def test_a_rejection_says_by_how_much_and_names_the_claim() -> None:
    rejected = TokenRejected(EXPIRED, "exp", seconds=7)

    assert (str(rejected), rejected.code, rejected.claim, rejected.seconds) == (
        f"{EXPIRED}: exp",
        EXPIRED,
        "exp",
        7,
    )
    assert (str(TokenRejected(SIGNATURE)), TokenRejected(SIGNATURE).seconds) == (SIGNATURE, 0)
