"""How each kind of authority is asked for a proof."""

import pytest

from gateway.demand import AuthorizationParameters, Demand

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


@pytest.mark.parametrize(
    "demand, expected",
    [
        (Demand("s"), AuthorizationParameters()),
        (Demand("s", claims=CLAIMS), AuthorizationParameters(claims=CLAIMS)),
        (Demand("s", fresh=True), AuthorizationParameters(prompt="login", oldest=0)),
        (
            Demand("s", acr_values="c1 c2"),
            AuthorizationParameters(
                claims='{"access_token":{"acrs":{"essential":true,"values":["c1","c2"]}}}'
            ),
        ),
        (Demand("s", claims=CLAIMS, acr_values="c2"), AuthorizationParameters(claims=CLAIMS)),
        # Any age means anew: MSAL's `max_age` fails without `auth_time`.
        (Demand("s", fresh=True, max_age=300), AuthorizationParameters(prompt="login", oldest=0)),
    ],
    ids=str,
)
def test_RFC9470_A11_entra_is_asked_by_claims_and_prompt(
    demand: Demand, expected: AuthorizationParameters
) -> None:
    assert demand.for_entra() == expected


@pytest.mark.parametrize(
    "demand, expected",
    [
        (Demand("s"), AuthorizationParameters()),
        (Demand("s", claims=CLAIMS), AuthorizationParameters(claims=CLAIMS)),
        (Demand("s", fresh=True), AuthorizationParameters(prompt="login", oldest=0)),
        (Demand("s", acr_values="c1 c2"), AuthorizationParameters(extra={"acr_values": "c1 c2"})),
        (
            Demand("s", fresh=True, max_age=300, acr_values="c1"),
            AuthorizationParameters(extra={"acr_values": "c1", "max_age": "300"}, oldest=300),
        ),
        (Demand("s", fresh=True, max_age=0), AuthorizationParameters(extra={"max_age": "0"}, oldest=0)),
    ],
    ids=str,
)
def test_RFC9470_others_are_asked_in_the_words_of_openid_connect(
    demand: Demand, expected: AuthorizationParameters
) -> None:
    assert demand.for_other_providers() == expected
