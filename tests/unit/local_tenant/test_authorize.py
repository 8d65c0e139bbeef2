"""The authorize endpoint (RFC 6749 4.1, OpenID Connect Core 3.1.2, Entra's parameters)."""

import base64
import json

import pytest

from tests.stage.tenant import (
    API,
    EDIT,
    GATEWAY,
    SIGN_IN_SCOPE,
    TENANT_ID,
    World,
)


@pytest.mark.parametrize(
    "changed, number",
    [
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, 700016),
        ({"client_id": ""}, 900144),
        ({"redirect_uri": ""}, 900144),
        ({"redirect_uri": "http://localhost:3000/auth/callback/"}, 50011),
        ({"redirect_uri": "http://localhost:3000/AUTH/callback"}, 50011),
        ({"redirect_uri": "http://127.0.0.1:3000/auth/callback"}, 50011),
        ({"redirect_uri": "https://evil.example/auth/callback"}, 50011),
        ({"redirect_uri": "http://localhost@evil.example/auth/callback"}, 50011),
        ({"redirect_uri": "http://localhost:x/auth/callback"}, 50011),
        ({"redirect_uri": "http://LOCALHOST:3000/auth/callback"}, 50011),
        ({"redirect_uri": "http://someone@localhost:3000/auth/callback"}, 50011),
        ({"redirect_uri": "https://localhost:3000/auth/callback"}, 50011),
        ({"redirect_uri": "http://localhost:3000/auth/callback?"}, 50011),
        ({"redirect_uri": "http://localhost:3000/auth/callback#"}, 50011),
        ({"response_mode": "web_message"}, 70007),
    ],
)
async def test_a_bad_client_or_redirect_uri_is_a_page_and_never_a_redirect(
    world: World, changed: dict[str, str], number: int
) -> None:
    page = await world.visitor().open(world.authorize_url(**changed))
    assert page.status == 400
    assert f"AADSTS{number}" in page.text
    assert page.sent_to is None
    assert page.forms == []


@pytest.mark.parametrize(
    "changed, error",
    [
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "cookies"}, "unsupported_response_type"),
        ({"scope": ""}, "invalid_request"),
        ({"scope": "openid User.Delete"}, "invalid_scope"),
        ({"scope": f"api://{API}/Everything"}, "invalid_scope"),
        ({"scope": "api://nobody/Everything"}, "invalid_resource"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"max_age": "9" * 5000}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"claims": "not json"}, "invalid_request"),
        ({"claims": "[" * 2000}, "invalid_request"),
        ({"claims": '{"access_token":[]}'}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
async def test_other_faults_go_back_to_the_application_with_its_state(
    world: World, changed: dict[str, str], error: str
) -> None:
    page = await world.visitor().open(world.authorize_url(state="mine & only <mine>", **changed))
    assert page.answer["error"] == error
    assert page.answer["state"] == "mine & only <mine>"
    assert page.answer["error_description"].startswith("AADSTS")


async def test_on_localhost_any_port_is_the_registered_one(world: World) -> None:
    url = world.authorize_url(redirect_uri="http://localhost:51234/auth/callback")
    page = await world.visitor().sign_in(url)
    assert page.form.action == "http://localhost:51234/auth/callback"


async def test_form_post_is_a_page_that_posts_code_state_and_session_state(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url(state="abc"))
    assert (page.form.method, page.form.action) == ("post", "http://localhost:3000/auth/callback")
    assert page.form.submit_buttons == 1
    assert {"code", "state", "session_state", "client_info"} == set(page.answer)
    assert page.answer["state"] == "abc"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http://localhost:3000" in page.headers["Content-Security-Policy"]


async def test_query_is_the_default_mode_and_fragment_is_offered(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(response_mode=""))
    assert (page.sent_to or "").startswith("http://localhost:3000/auth/callback?code=")
    page = await visitor.open(world.authorize_url(response_mode="fragment"))
    assert (page.sent_to or "").startswith("http://localhost:3000/auth/callback#code=")


async def test_client_info_names_the_person_and_the_tenant_when_it_is_asked_for(world: World) -> None:
    visitor = world.visitor()
    packed = (await visitor.sign_in(world.authorize_url())).answer["client_info"]
    members = json.loads(base64.urlsafe_b64decode(packed + "=="))
    assert members["utid"] == TENANT_ID
    assert "client_info" not in (await visitor.open(world.authorize_url(client_info=""))).answer


async def test_a_redirect_uri_without_a_path_gets_one(world: World) -> None:
    uris = {"redirect_uris": ["http://localhost:3000"]}
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json=uris)
    url = world.authorize_url(redirect_uri="http://localhost:3000", response_mode="query")
    page = await world.visitor().sign_in(url)
    assert (page.sent_to or "").startswith("http://localhost:3000/?code=")


async def test_scopes_of_several_resources_are_accepted_here_and_the_policy_of_each_counts(
    world: World,
) -> None:
    page = await world.visitor().sign_in(world.authorize_url(f"openid User.Read {EDIT}"))
    assert "code" in page.form.inputs
    assert "Confirm" in page.text


async def test_without_an_administrators_consent_nobody_gets_through(world: World) -> None:
    scope = f"{SIGN_IN_SCOPE} User.ReadWrite"
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(scope))
    assert "AADSTS90094" in page.text
    assert (await visitor.follow(page, "Go back to the application")).answer["error"] == "access_denied"
    silent = await visitor.open(world.authorize_url(scope, prompt="none"))
    assert silent.answer["error"] == "consent_required"


async def test_unknown_parameters_are_ignored(world: World) -> None:
    url = world.authorize_url() + "&X-AnchorMailbox=UPN:ada@example.com&idp=google.com"
    assert "email" in (await world.visitor().open(url)).form.inputs
