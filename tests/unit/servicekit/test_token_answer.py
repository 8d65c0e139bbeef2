"""What a token answer says of a token's life (W1)."""

import pytest

from servicekit.token_answer import LONGEST_LIFE, lifetime


@pytest.mark.parametrize(
    "expires_in, seconds",
    [
        (20, 20),
        ("20", 20),
        (" 20 ", 20),
        ("20.9", 20),
        (20.9, 20),
        (0.4, 1),
        (None, None),
        (True, None),
        (0, None),
        (-5, None),
        ("-1", None),
        ([60], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), LONGEST_LIFE),
        (10**400, LONGEST_LIFE),
        (LONGEST_LIFE + 1, LONGEST_LIFE),
    ],
)
def test_W1_a_lifetime_is_read_in_every_form_that_is_in_use(expires_in: object, seconds: int | None) -> None:
    assert lifetime(expires_in) == seconds


@pytest.mark.parametrize("expires_in", ["soon", "", "1h", "2026-11-26T12:00:00Z"])
def test_a_lifetime_in_words_is_none(expires_in: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        lifetime(expires_in)
