"""How each kind of authority is asked for a proof."""

import pytest

from gateway.demand import Asking, Demand

CLAIMS = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'


@pytest.mark.parametrize(
    "demand, asking",
    [
        (Demand("s"), Asking()),
        (Demand("s", claims=CLAIMS), Asking(claims=CLAIMS)),
        (Demand("s", fresh=True), Asking(prompt="login", oldest=0)),
        (
            Demand("s", acr_values="c1 c2"),
            Asking(claims='{"access_token":{"acrs":{"essential":true,"values":["c1","c2"]}}}'),
        ),
        (Demand("s", claims=CLAIMS, acr_values="c2"), Asking(claims=CLAIMS)),
        # Any age means anew: MSAL's `max_age` fails without `auth_time`.
        (Demand("s", fresh=True, max_age=300), Asking(prompt="login", oldest=0)),
    ],
    ids=str,
)
def test_RFC9470_A11_entra_is_asked_by_claims_and_prompt(demand: Demand, asking: Asking) -> None:
    assert demand.asked_of_entra() == asking


@pytest.mark.parametrize(
    "demand, asking",
    [
        (Demand("s"), Asking()),
        (Demand("s", claims=CLAIMS), Asking(claims=CLAIMS)),
        (Demand("s", fresh=True), Asking(prompt="login", oldest=0)),
        (Demand("s", acr_values="c1 c2"), Asking(parameters={"acr_values": "c1 c2"})),
        (
            Demand("s", fresh=True, max_age=300, acr_values="c1"),
            Asking(parameters={"acr_values": "c1", "max_age": "300"}, oldest=300),
        ),
        (Demand("s", fresh=True, max_age=0), Asking(parameters={"max_age": "0"}, oldest=0)),
    ],
    ids=str,
)
def test_RFC9470_others_are_asked_in_the_words_of_openid_connect(demand: Demand, asking: Asking) -> None:
    assert demand.asked_of_others() == asking
