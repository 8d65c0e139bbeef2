"""Requests that real clients never send and attackers do, or that are simply wrong: refused (row T6)."""

import base64
import hashlib
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.stage.tenant import (
    API,
    API_SECRET,
    CALLBACK,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    SIGN_IN_SCOPE,
    TENANT_ID,
    VERIFIER,
    Answer,
    World,
)

CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
TOKEN = f"/{TENANT_ID}/oauth2/v2.0/token"


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


async def post(world: World, *fields: tuple[str, str], headers: dict[str, str] | None = None) -> Answer:
    form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    return await world.ask("POST", TOKEN, data=urlencode(fields), headers=form)


@pytest.mark.parametrize(
    "changed, number",
    [
        ({"code_challenge": "abc"}, 501491),
        ({"code_challenge": "a" * 42}, 501491),
        ({"code_challenge": f"{CHALLENGE}="}, 501491),
        ({"code_challenge": CHALLENGE[:-1] + "+"}, 501491),
        ({"code_challenge": "a" * 129, "code_challenge_method": "plain"}, 501491),
        ({"code_challenge": "ä" * 43, "code_challenge_method": "plain"}, 501491),
        ({"code_challenge": ""}, 50147),
        ({"code_challenge_method": "s256"}, 9002313),
        ({"code_challenge_method": "S512"}, 9002313),
        ({"prompt": "banana"}, 90023),
        ({"prompt": "Login"}, 90023),
        ({"prompt": "none login"}, 90023),
        ({"prompt": "select_account consent"}, 90023),
        ({"max_age": "-1"}, 9002313),
        ({"max_age": "soon"}, 9002313),
        ({"max_age": "1.5"}, 9002313),
        ({"claims": "{"}, 9002313),
        ({"claims": "[]"}, 9002313),
        ({"response_type": ""}, 900144),
        ({"response_type": "code code"}, 70005),
        ({"response_type": "id_token code"}, 700054),
        ({"response_type": "token id_token code"}, 700054),
        ({"response_type": "none"}, 70005),
        ({"resource": "https://elsewhere.example"}, 9010010),
        ({"resource": f"api://{API}"}, 9010010),
    ],
)
async def test_T6_the_authorize_endpoint_refuses_and_says_so_to_the_application(
    world: World, changed: dict[str, str], number: int
) -> None:
    page = await world.visitor().open(world.authorize_url(state="mine", **changed))
    assert page.answer["error_description"].startswith(f"AADSTS{number}:")
    assert page.answer["state"] == "mine"
    assert "code" not in page.answer


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "response_mode", "state"])
async def test_T6_what_says_where_the_answer_goes_may_not_be_there_twice(world: World, name: str) -> None:
    page = await world.visitor().open(f"{world.authorize_url()}&{urlencode({name: 'another'})}")
    assert (page.status, page.sent_to) == (400, None)
    assert f"AADSTS90100: The parameter '{name}'" in page.text


@pytest.mark.parametrize("name", ["scope", "nonce", "prompt", "code_challenge", "claims", "login_hint"])
async def test_T6_nothing_else_that_the_protocol_knows_may_be_there_twice_either(
    world: World, name: str
) -> None:
    url = f"{world.authorize_url(**{name: 'none' if name == 'prompt' else 'openid'})}&{name}=openid"
    page = await world.visitor().open(url)
    assert page.answer["error"] == "invalid_request"
    assert f"'{name}'" in page.answer["error_description"]


async def test_T6_what_the_protocol_does_not_know_may_be_there_twice(world: World) -> None:
    page = await world.visitor().sign_in(f"{world.authorize_url()}&x-client-SKU=a&x-client-SKU=b")
    assert "code" in page.answer


@pytest.mark.parametrize(
    "changed",
    [
        {"prompt": "login"},
        {"max_age": "0"},
        {"max_age": ""},
        {"claims": '{"id_token":{"email":null}}'},
        {"resource": "https://graph.microsoft.com/"},
        {"resource": "00000003-0000-0000-C000-000000000000"},
    ],
)
async def test_T6_what_is_odd_and_allowed_still_signs_in(world: World, changed: dict[str, str]) -> None:
    page = await world.visitor().sign_in(world.authorize_url(**changed))
    assert (await world.redeem(page)).status == 200


async def test_T6_a_state_of_five_thousand_characters_comes_back_whole(world: World) -> None:
    state = "Zürich <&> " + "x" * 5000
    visitor = world.visitor()
    assert (await visitor.sign_in(world.authorize_url(state=state))).answer["state"] == state
    for mode in ("query", "fragment"):
        page = await visitor.open(world.authorize_url(state=state, response_mode=mode))
        assert page.answer["state"] == state


async def test_T6_a_verifier_without_a_challenge_is_refused_and_the_code_stays_good(world: World) -> None:
    url = world.authorize_url(code_challenge="", code_challenge_method="")
    page = await world.visitor().sign_in(url)
    refused = await world.redeem(page)
    assert (refused.body["error"], refused.number) == ("invalid_grant", 501481)
    assert (await world.redeem(page, code_verifier="")).status == 200


@pytest.mark.parametrize(
    "verifier", ["", "short", "a" * 42, "a" * 129, f"{VERIFIER}!", f"{VERIFIER} ", "ä" * 43]
)
async def test_T6_a_verifier_of_another_form_is_refused_even_where_its_digest_fits(
    world: World, verifier: str
) -> None:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    page = await world.visitor().sign_in(world.authorize_url(code_challenge=digest))
    assert (await world.redeem(page, code_verifier=verifier)).number == 501481


async def refreshing(world: World) -> list[tuple[str, str]]:
    token = (await world.signed_in()).body["refresh_token"]
    return [("grant_type", "refresh_token"), ("refresh_token", token), ("scope", SIGN_IN_SCOPE)]


@pytest.mark.parametrize(
    "client_id, secret", [(GATEWAY, "wrong"), (GATEWAY, GATEWAY_SECRET), (API, API_SECRET), (GATEWAY, "")]
)
async def test_T6_a_client_proves_itself_in_one_way(world: World, client_id: str, secret: str) -> None:
    form = await refreshing(world)
    own = [("client_id", GATEWAY), ("client_secret", GATEWAY_SECRET)]
    refused = await post(world, *form, *own, headers=basic(client_id, secret))
    assert (refused.status, refused.body["error"], refused.number) == (400, "invalid_request", 90023)
    assertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    both = [("client_assertion_type", assertion), ("client_assertion", "a.b.c")]
    assert (await post(world, *form, *own, *both)).number == 90023
    assert (await post(world, *form, *own)).status == 200


async def test_T6_a_client_id_in_the_body_beside_another_in_basic_is_not_proven(world: World) -> None:
    form = [*await refreshing(world), ("client_id", GATEWAY)]
    assert (await post(world, *form, headers=basic(API, API_SECRET))).number == 7000218
    assert (await post(world, *form, headers=basic(GATEWAY, "wrong"))).number == 7000215
    assert (await post(world, *form, headers=basic(GATEWAY, GATEWAY_SECRET))).status == 200


@pytest.mark.parametrize("name", ["scope", "client_secret", "client_id", "grant_type", "refresh_token"])
async def test_T6_a_token_request_says_nothing_twice(world: World, name: str) -> None:
    form = [*await refreshing(world), ("client_id", GATEWAY), ("client_secret", GATEWAY_SECRET)]
    refused = await post(world, *form, (name, dict(form)[name]))
    assert (refused.status, refused.body["error"], refused.number) == (400, "invalid_request", 90100)
    assert (await post(world, *form)).status == 200


async def test_T6_a_token_request_whose_resource_is_not_its_scopes_is_refused(world: World) -> None:
    form = [*await refreshing(world), ("client_id", GATEWAY), ("client_secret", GATEWAY_SECRET)]
    assert (await post(world, *form, ("resource", EDIT.rpartition("/")[0]))).number == 9010010
    assert (await post(world, *form, ("resource", "https://graph.microsoft.com"))).status == 200


async def test_T6_a_code_is_refused_without_its_redirect_uri(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    assert (await world.redeem(page, redirect_uri="")).number == 900144
    assert (await world.redeem(page, redirect_uri=f"{CALLBACK}/")).number == 500112


@pytest.mark.parametrize("kind", ["multipart/form-data", "application/json", "text/plain", ""])
async def test_T6_a_token_request_is_a_form_in_one_encoding(world: World, kind: str) -> None:
    form = dict([*await refreshing(world), ("client_id", GATEWAY), ("client_secret", GATEWAY_SECRET)])
    body: object = urlencode(form).encode()
    headers = {"Content-Type": kind}
    if kind == "multipart/form-data":
        body, headers = aiohttp.FormData(form, default_to_multipart=True), {}
    refused = await world.ask("POST", TOKEN, data=body, headers=headers)
    assert (refused.body["error"], refused.number) == ("invalid_request", 900144)
    in_the_query = await world.ask("POST", f"{TOKEN}?{urlencode(form)}")
    assert in_the_query.number == 900144
