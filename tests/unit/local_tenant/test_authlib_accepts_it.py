"""Authlib, an OpenID client by other people, takes the tenant for a provider like any other.

Nothing here reads a token or makes a request by hand: discovery, code with PKCE, the ID token's validation, refresh
and sign-out are Authlib's own. The authority's host is mapped to the tenant's address, as it is for MSAL.
"""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client.sync_app import BaseApp, OAuth2Mixin
from authlib.integrations.base_client.sync_openid import OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc import discovery, rpinitiated
from joserfc.errors import JoseError

from tests.stage.tenant import (
    CALLBACK,
    GATEWAY,
    GATEWAY_SECRET,
    ISSUER,
    SIGN_IN_SCOPE,
    TENANT_ID,
    World,
)
from tests.stage.visitor import Page, Visitor
from tests.unit.local_tenant.test_msal_accepts_it import Mapped

HOST: Final = "https://stepuplocal.ciamlogin.com"
METADATA: Final = f"{HOST}/{TENANT_ID}/v2.0/.well-known/openid-configuration"


class Client(OAuth2Mixin, OpenIDMixin, BaseApp):  # type: ignore[misc] # authlib ships no types
    """Authlib's client without a web framework around it."""

    def __init__(self, world: World) -> None:
        class Session(OAuth2Session):  # type: ignore[misc] # the same
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                self.trust_env = False
                self.mount(HOST, Mapped(world.url))

        self.client_cls = Session
        super().__init__(
            None,
            client_id=GATEWAY,
            client_secret=GATEWAY_SECRET,
            server_metadata_url=METADATA,
            client_kwargs={
                "scope": SIGN_IN_SCOPE,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_post",
            },
        )

    async def leave(self, visitor: Visitor, **more: str) -> tuple[dict[str, str], Page]:
        """Begin a flow; return what Authlib remembers of it, and the page after the password."""
        remembered = await asyncio.to_thread(self.create_authorization_url, CALLBACK, **more)
        return remembered, await visitor.sign_in(remembered["url"])

    async def redeem(self, remembered: dict[str, str], page: Page) -> dict[str, Any]:
        """Redeem what the tenant answered."""
        answer = page.answer
        assert answer["state"] == remembered["state"]
        token: dict[str, Any] = await asyncio.to_thread(
            self.fetch_access_token, CALLBACK, code=answer["code"], code_verifier=remembered["code_verifier"]
        )
        return token

    async def refreshed(self, refresh_token: str) -> dict[str, Any]:
        """Use a refresh token."""

        def work() -> dict[str, Any]:
            with self._get_oauth_client(**self.load_server_metadata()) as session:
                session.update_token = None  # for web frameworks
                token: dict[str, Any] = session.refresh_token(refresh_token=refresh_token)
                return token

        return await asyncio.to_thread(work)

    async def validated(self, token: dict[str, Any], nonce: str | None) -> dict[str, Any]:
        """Let Authlib judge an ID token."""
        return dict(await asyncio.to_thread(self.parse_id_token, token, nonce))


async def test_authlib_finds_no_fault_in_the_metadata_but_entras_own(world: World) -> None:
    metadata = await asyncio.to_thread(Client(world).load_server_metadata)
    assert metadata["issuer"] == ISSUER
    # What a browser opens is plain http on this machine; all else is as in production.
    for name in ("authorization_endpoint", "end_session_endpoint"):
        assert metadata[name].startswith(world.url)
        metadata[name] = metadata[name].replace(world.url, HOST)

    lacking = "token_endpoint_auth_signing_alg_values_supported"

    # Entra names private_key_jwt and leaves its algorithms out, against RFC 8414, section 2; so does the tenant.
    with pytest.raises(ValueError, match=lacking):
        discovery.OpenIDProviderMetadata(metadata).validate()
    metadata[lacking] = ["PS256", "RS256"]
    discovery.OpenIDProviderMetadata(metadata).validate(metadata_classes=[rpinitiated.OpenIDProviderMetadata])


async def test_authlib_signs_in_and_believes_the_id_token(world: World) -> None:
    client = Client(world)

    for mode in ("query", "form_post"):
        remembered, page = await client.leave(world.visitor(), response_mode=mode)
        token = await client.redeem(remembered, page)
        person = await client.validated(token, remembered["nonce"])

        assert (person["name"], person["tid"]) == ("Ada Lovelace", TENANT_ID)
        assert token["token_type"] == "Bearer"


async def test_authlib_refuses_the_id_token_of_another_flow(world: World) -> None:
    client = Client(world)
    remembered, page = await client.leave(world.visitor(), response_mode="query")
    token = await client.redeem(remembered, page)

    with pytest.raises(JoseError):
        await client.validated(token, "the nonce of another flow")


@pytest.mark.parametrize("variant", ["bad-signature", "wrong-aud", "wrong-iss", "expired", "alg-none"])
async def test_authlib_agrees_that_a_forged_id_token_is_forged(world: World, variant: str) -> None:
    client = Client(world)
    ordered = await world.ask("PUT", "/admin/id-token", json={"variant": variant, "times": 1})
    assert ordered.status < 300
    remembered, page = await client.leave(world.visitor(), response_mode="query")
    token = await client.redeem(remembered, page)

    with pytest.raises((JoseError, ValueError)):
        await client.validated(token, remembered["nonce"])


async def test_authlib_refreshes_and_believes_the_new_id_token(world: World) -> None:
    client = Client(world)
    remembered, page = await client.leave(world.visitor(), response_mode="query")
    token = await client.redeem(remembered, page)
    before = await client.validated(token, remembered["nonce"])

    fresh = await client.refreshed(token["refresh_token"])
    after = await client.validated(fresh, None)

    assert fresh["access_token"] != token["access_token"]
    assert (after["iss"], after["sub"], after["aud"]) == (before["iss"], before["sub"], before["aud"])


async def test_authlib_signs_out_and_comes_back(world: World) -> None:
    client, visitor = Client(world), world.visitor()
    remembered, page = await client.leave(visitor, response_mode="query")
    token = await client.redeem(remembered, page)
    leaving = await asyncio.to_thread(
        client.create_logout_url, "http://localhost:3000/", token["id_token"], client_id=GATEWAY
    )

    page = await visitor.open(leaving["url"])

    onward = page.sent_to or page.links["Continue"]
    assert onward.startswith("http://localhost:3000/")
    assert parse_qs(urlsplit(onward).query)["state"] == [leaving["state"]]
    again = await visitor.open(remembered["url"])
    assert "password" in again.form.inputs, "the tenant forgot the person"
