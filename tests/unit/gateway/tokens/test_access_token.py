"""The life of an access token, and in which part of it it is renewed (W1)."""

import pytest

from gateway.tokens.access_token import AccessToken, access_token_of
from servicekit.token_answer import LONGEST_LIFE

NOW = 1_800_000_000.0


def token_of(life: float, jitter: float = 0) -> AccessToken:
    """Return a token that was asked for at NOW."""
    return access_token_of({"access_token": "t", "expires_in": life}, asked_at=NOW, jitter=jitter)


@pytest.mark.parametrize(
    "life, last_part",
    [
        (1, 0.2),
        (10, 2),
        (60, 12),
        (300, 60),
        (301, 60.2),
        (3000, 600),
        (3600, 600),
        (5400, 600),
        (86_400, 600),
    ],
)
def test_W1_a_token_is_renewed_in_the_last_part_of_its_own_life(life: int, last_part: float) -> None:
    for jitter, part in ((0.0, last_part), (0.5, last_part * 3 / 4), (1.0, last_part / 2)):
        token = token_of(life, jitter)
        assert token.renew_at == pytest.approx(NOW + life - part)
        assert token.is_fresh(NOW)
        assert token.is_fresh(NOW + life - part - 0.001)
        assert not token.is_fresh(NOW + life - part + 0.001)


@pytest.mark.parametrize(
    "life, on_its_way", [(1, 0.05), (10, 0.5), (60, 2), (300, 2), (3600, 2), (86_400, 2)]
)
def test_W1_a_token_is_used_until_it_could_end_on_its_way(life: int, on_its_way: float) -> None:
    token = token_of(life)

    assert token.is_alive(NOW + life - on_its_way - 0.001)
    assert not token.is_alive(NOW + life - on_its_way)


@pytest.mark.parametrize("life", [1, 10, 60, 300, 3600, 86_400])
def test_W1_there_is_time_between_renewal_and_end(life: int) -> None:
    token = token_of(life, jitter=1)

    assert token.renew_at is not None
    assert token.is_alive(token.renew_at)
    assert not token.is_fresh(token.renew_at)


@pytest.mark.parametrize(
    "expires_in, seconds",
    [(20, 20), ("20", 20), (None, 3600), (0, 3600), (10**400, LONGEST_LIFE)],
)
def test_W1_a_life_is_counted_from_when_the_token_was_asked_for(expires_in: object, seconds: int) -> None:
    token = access_token_of({"access_token": "t", "expires_in": expires_in}, asked_at=NOW, jitter=0)

    assert (token.issued_at, token.expires_at) == (NOW, NOW + seconds)


def test_R27_a_record_of_the_release_before_is_renewed_by_the_rule_of_that_release() -> None:
    token = AccessToken("t", NOW + 3600)

    assert token.is_fresh(NOW + 3299)
    assert not token.is_fresh(NOW + 3300)
    assert token.is_alive(NOW + 3597)
    assert not token.is_alive(NOW + 3598)


@pytest.mark.parametrize("half", [{"issued_at": NOW}, {"renew_at": NOW + 3500}])
def test_R27_half_of_what_is_known_now_is_as_little_as_none(half: dict[str, float]) -> None:
    token = AccessToken("t", NOW + 3600, **half)

    assert token.is_fresh(NOW + 3299)
    assert not token.is_fresh(NOW + 3300)


def test_R21_a_clock_that_was_set_back_makes_no_token_live_longer_unrenewed() -> None:
    token = token_of(3600)

    assert token.is_fresh(NOW - 120), "clocks of several gateways differ by that much"
    assert not token.is_fresh(NOW - 121)


def test_a_token_keeps_its_value_to_itself() -> None:
    assert "secret" not in repr(AccessToken("secret", NOW))
