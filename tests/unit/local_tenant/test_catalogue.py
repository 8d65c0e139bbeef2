"""The refusals as real answers show them, written down a second time: where each belongs and in which shape."""

import pytest

from local_tenant.aadsts import CATALOGUE, At
from tests.stage.tenant import World

GRANT, CLIENT, REQUEST = "invalid_grant", "invalid_client", "invalid_request"

# number, status, error and suberror at the token endpoint
AT_THE_TOKEN_ENDPOINT = [
    (50076, 400, GRANT, "basic_action"),
    (50079, 400, GRANT, "basic_action"),
    (50074, 400, GRANT, "basic_action"),
    (50078, 400, GRANT, "basic_action"),
    (53003, 400, GRANT, "message_only"),
    (65001, 400, GRANT, "consent_required"),
    (70000, 400, GRANT, "bad_token"),
    (70008, 400, GRANT, None),
    (700082, 400, GRANT, "bad_token"),
    (50173, 400, GRANT, None),
    (54005, 400, GRANT, None),
    (501481, 400, GRANT, None),
    (9002313, 400, GRANT, None),
    (90023, 400, REQUEST, None),
    (90100, 400, REQUEST, None),
    (700084, 400, GRANT, "bad_token"),
    (700025, 401, CLIENT, None),
    (9002325, 400, REQUEST, None),
    (9002326, 400, REQUEST, None),
    (9002327, 400, REQUEST, None),
    (900144, 400, REQUEST, None),
    (28000, 400, REQUEST, None),
    (28003, 400, REQUEST, None),
    (70011, 400, "invalid_scope", None),
    (500011, 400, "invalid_resource", None),
    (500112, 400, GRANT, None),
    (700016, 400, "unauthorized_client", None),
    (7000215, 401, CLIENT, None),
    (7000222, 401, CLIENT, None),
    (7000218, 401, CLIENT, None),
    (700027, 401, CLIENT, None),
    (700024, 401, CLIENT, None),
    (50013, 400, GRANT, None),
    (500131, 400, GRANT, None),
    (500133, 400, GRANT, None),
    (50196, 400, GRANT, None),
    (90055, 429, "temporarily_unavailable", None),
]
# number, error that reaches the application; a page comes first where the person is told and the application is not
AT_AUTHORIZE = [
    (50076, "interaction_required", At.CLIENT),
    (50079, "access_denied", At.PAGE),
    (50074, "interaction_required", At.CLIENT),
    (50058, "login_required", At.CLIENT),
    (53003, "access_denied", At.PAGE),
    (65001, "consent_required", At.CLIENT),
    (65004, "access_denied", At.CLIENT),
    (90094, "access_denied", At.PAGE),
    (70011, "invalid_scope", At.CLIENT),
    (500011, "invalid_resource", At.CLIENT),
    (50147, "invalid_request", At.CLIENT),
    (501491, "invalid_request", At.CLIENT),
    (90023, "invalid_request", At.CLIENT),
    (90100, "invalid_request", At.CLIENT),
    (9010010, "invalid_target", At.CLIENT),
    (700054, "unsupported_response_type", At.CLIENT),
    (90033, "temporarily_unavailable", At.CLIENT),
]


@pytest.mark.parametrize("number, status, error, suberror", AT_THE_TOKEN_ENDPOINT)
async def test_the_token_endpoint_says_it_as_entra_does(
    world: World, number: int, status: int, error: str, suberror: str | None
) -> None:
    await world.ask("PUT", "/admin/faults/token.refresh_token", json={"aadsts": number, "times": 1})
    refused = await world.refresh("whatever")
    assert (refused.status, refused.body["error"], refused.body.get("suberror")) == (status, error, suberror)
    assert refused.number == number
    assert "claims" not in refused.body


@pytest.mark.parametrize("number, error, at", AT_AUTHORIZE)
async def test_the_authorize_endpoint_says_it_as_entra_does(
    world: World, number: int, error: str, at: At
) -> None:
    await world.ask("PUT", "/admin/faults/authorize", json={"aadsts": number, "times": 1})
    visitor = world.visitor()
    page = await visitor.open(world.authorize_url())
    if at is At.PAGE:
        assert f"AADSTS{number}" in page.text
        page = await visitor.follow(page, "Go back to the application")
    assert page.answer["error"] == error


@pytest.mark.parametrize("number", [50011, 700016])
def test_a_bad_redirect_uri_and_an_unknown_client_stay_on_a_page(number: int) -> None:
    assert CATALOGUE[number].at is At.PAGE
