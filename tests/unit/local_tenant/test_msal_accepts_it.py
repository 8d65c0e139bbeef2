"""Unmodified MSAL, with the production form of the authority, runs through the whole story against the tenant.

The authority's host is mapped to the tenant's address by an adapter of the requests session that MSAL is given;
MSAL itself knows nothing of it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import msal
import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.stage.tenant import (
    API,
    API_SECRET,
    CALLBACK,
    EDIT,
    GATEWAY,
    GATEWAY_SECRET,
    TENANT_ID,
    World,
)
from tests.stage.visitor import Page

AUTHORITY = "https://stepuplocal.ciamlogin.com/"
Result = dict[str, Any]


class Mapped(HTTPAdapter):
    """Answers for the authority's host from the tenant's address, and counts the requests."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.posts = 0

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        here = urlsplit(self.address)
        request.headers["Host"] = address.netloc
        request.url = urlunsplit((here.scheme, here.netloc, address.path, address.query, ""))
        self.posts += request.method == "POST"
        return super().send(request, *args, **kwargs)


class Client:
    """MSAL for one registration."""

    def __init__(self, world: World, client_id: str, secret: str) -> None:
        self.adapter = Mapped(world.url)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.mount("https://stepuplocal.ciamlogin.com", self.adapter)
        self.cache = msal.SerializableTokenCache()
        self.client_id = client_id
        self.secret = secret

    def _application(self) -> Any:
        return msal.ConfidentialClientApplication(
            self.client_id,
            client_credential=self.secret,
            authority=AUTHORITY,
            http_client=self.session,
            token_cache=self.cache,
        )

    async def call(self, method: str, *args: object, **kwargs: object) -> Result:
        """Call one of MSAL's methods in a thread, on an application made for this use."""
        return cast(
            "Result", await asyncio.to_thread(lambda: getattr(self._application(), method)(*args, **kwargs))
        )

    async def silent(self, scope: str, **kwargs: object) -> Result:
        """Ask for a token without the person."""

        def ask() -> Result:
            application = self._application()
            (account,) = application.get_accounts()
            return cast("Result", application.acquire_token_silent_with_error([scope], account, **kwargs))

        return await asyncio.to_thread(ask)


@pytest.fixture
async def gateway(world: World) -> AsyncIterator[Client]:
    client = Client(world, GATEWAY, GATEWAY_SECRET)
    yield client
    client.session.close()


@pytest.fixture
async def api(world: World) -> AsyncIterator[Client]:
    client = Client(world, API, API_SECRET)
    yield client
    client.session.close()


async def start(client: Client, scope: str, **kwargs: object) -> Result:
    return await client.call(
        "initiate_auth_code_flow", [scope], redirect_uri=CALLBACK, response_mode="form_post", **kwargs
    )


async def redeem(client: Client, flow: Result, page: Page) -> Result:
    return await client.call("acquire_token_by_auth_code_flow", flow, page.answer)


async def test_S57_sign_in_step_up_on_behalf_of_and_sign_out(
    world: World, gateway: Client, api: Client
) -> None:
    visitor = world.visitor()

    # Sign-in: no second factor for Graph.
    flow = await start(gateway, "User.Read")
    signed_in = await redeem(gateway, flow, await visitor.sign_in(flow["auth_uri"]))
    assert signed_in["id_token_claims"]["name"] == "Ada Lovelace"
    assert "User.Read" in signed_in["scope"].split()

    # Silent: from the cache, without a request.
    posts = gateway.adapter.posts
    silent = await gateway.silent("User.Read")
    assert silent["token_source"] == "cache"
    assert silent["access_token"] == signed_in["access_token"]
    assert gateway.adapter.posts == posts

    # The API's token is refused for want of a second factor.
    refused = await gateway.silent(EDIT)
    assert refused["error"] == "invalid_grant"
    assert refused["suberror"] == "basic_action"
    assert refused["classification"] == "basic_action"
    assert refused["error_codes"] == [50076]
    challenge = json.loads(refused["claims"])
    assert challenge["access_token"]["capolids"]["essential"] is True
    assert await gateway.silent("User.Read")  # the refusal cost nothing else

    # Step-up with the claims: only the code is asked for, because the session is still there.
    flow = await start(gateway, EDIT, claims_challenge=refused["claims"], login_hint="ada@example.com")
    page = await visitor.open(flow["auth_uri"])
    assert "ad•••@example.com" in page.text
    answered = await visitor.confirm(page)
    session_state = answered.answer["session_state"]
    stepped_up = await redeem(gateway, flow, answered)
    assert stepped_up["scope"] == EDIT
    posts = gateway.adapter.posts
    assert (await gateway.silent(EDIT))["token_source"] == "cache"
    assert gateway.adapter.posts == posts

    # On behalf of: the API gets a Graph token that may write, without another question.
    graph = await api.call(
        "acquire_token_on_behalf_of",
        stepped_up["access_token"],
        ["https://graph.microsoft.com/User.ReadWrite"],
    )
    assert graph["scope"].split()[-1] == "https://graph.microsoft.com/User.ReadWrite"
    changed = await world.me(graph["access_token"], "PATCH", json={"jobTitle": "Countess"})
    assert changed.status == 204

    # Sign-out: applications hear of it by the sid that came as session_state.
    page = await visitor.open(
        f"{world.url}/{TENANT_ID}/oauth2/v2.0/logout?post_logout_redirect_uri=http://localhost:3000/"
    )
    (frame,) = page.frames
    assert frame == f"http://localhost:3000/auth/frontchannel-logout?sid={session_state}"
    assert "E-mail" in (await visitor.open(world.authorize_url())).text


async def test_client_credentials_are_found_in_the_cache_again(api: Client) -> None:
    scopes = ["https://graph.microsoft.com/.default"]
    first = await api.call("acquire_token_for_client", scopes)
    second = await api.call("acquire_token_for_client", scopes)
    assert second["token_source"] == "cache"
    assert first["access_token"] == second["access_token"]


async def test_after_a_step_up_both_resources_are_served_silently(world: World, gateway: Client) -> None:
    visitor = world.visitor()
    flow = await start(gateway, EDIT)
    await redeem(gateway, flow, await visitor.confirm(await visitor.sign_in(flow["auth_uri"])))
    assert "access_token" in await gateway.silent("User.Read")
    assert "access_token" in await gateway.silent(EDIT, force_refresh=True)


async def test_a_cancelled_sign_in_comes_back_as_access_denied(world: World, gateway: Client) -> None:
    visitor = world.visitor()
    flow = await start(gateway, "User.Read")
    page = await visitor.follow(await visitor.open(flow["auth_uri"]), "Cancel")
    result = await redeem(gateway, flow, page)
    assert result["error"] == "access_denied"


async def test_T8_msal_signs_in_as_a_program_without_a_secret(world: World) -> None:
    redirect_uri = "http://localhost/desk"
    registration = {"native_redirect_uris": [redirect_uri]}
    assert (await world.ask("PUT", f"/admin/apps/{GATEWAY}", json=registration)).status == 200
    session = requests.Session()
    session.trust_env = False
    session.mount("https://stepuplocal.ciamlogin.com", Mapped(world.url))

    def application() -> Any:
        return msal.PublicClientApplication(
            GATEWAY, authority=AUTHORITY, http_client=session, token_cache=cache
        )

    cache = msal.SerializableTokenCache()
    here = "http://localhost:51234/desk"  # any port of this computer is the registered one
    flow = await asyncio.to_thread(
        lambda: application().initiate_auth_code_flow(
            ["User.Read"], redirect_uri=here, response_mode="form_post"
        )
    )
    page = await world.visitor().sign_in(flow["auth_uri"])
    tokens = await asyncio.to_thread(
        lambda: application().acquire_token_by_auth_code_flow(flow, dict(page.answer))
    )
    assert tokens["id_token_claims"]["name"] == "Ada Lovelace"

    def silent() -> Result:
        app = application()
        (account,) = app.get_accounts()
        return cast("Result", app.acquire_token_silent(["User.Read"], account, force_refresh=True))

    assert (await asyncio.to_thread(silent))["access_token"] != tokens["access_token"]
    session.close()
