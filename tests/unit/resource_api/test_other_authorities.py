"""The API behind an authority that is not Entra: its tokens are read by RFC 9068 (W9), in every family (W7)."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from resource_api.app import create_app
from tests.stage.other_keys import OtherKey
from tests.stage.plain_provider import CLIENT as API
from tests.stage.plain_provider import ISSUER, SECRET, SUBJECT, Claims, PlainProvider
from tests.stage.tenant import MovableClock
from tests.stage.trust import ONE_CERTIFICATE
from tests.unit.resource_api.stage import QUICK, Answer, listening, settings_for

AUDIENCE, CLIENT, SCOPE = "https://profile.example.com", "the-gateway", "profile.edit"
EXCHANGE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass
class Scene:
    """The API, a provider, and whoever calls."""

    url: str
    provider: PlainProvider
    session: aiohttp.ClientSession = field(repr=False)

    def claims(self, **changed: Any) -> Claims:
        """Return the claims that RFC 9068 asks for (section 2.2), with changes; a change to ... drops the claim."""
        now = int(self.provider.now())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": SUBJECT,
            "client_id": CLIENT,
            "iat": now,
            "exp": now + 300,
            "jti": "a-token",
            "scope": f"openid {SCOPE}",
            **changed,
        }
        return {name: value for name, value in claims.items() if value is not ...}

    def token(self, *, typ: str | None = "at+jwt", **changed: Any) -> str:
        return self.provider.signing.token(self.claims(**changed), typ=typ)

    async def patch(self, token: str) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.session.patch(f"{self.url}/profile", json={"city": "Turin"}, headers=headers) as got:
            return Answer(got.status, got.headers, await got.text())

    async def believes(self, token: str) -> bool:
        """Tell whether the API believes a token: then it asks the provider for another with it."""
        before = self.provider.requests[EXCHANGE]
        answer = await self.patch(token)
        asked = self.provider.requests[EXCHANGE] - before
        assert (answer.status, answer.slug, asked) in {
            (500, "misconfigured", 1),
            (401, "invalid-token", 0),
            (403, "insufficient-scope", 0),
            (401, "insufficient-user-authentication", 0),
        }
        return bool(asked)


@asynccontextmanager
async def running(**settings: str) -> AsyncIterator[Scene]:
    """Run a provider, and the API that believes it."""
    provider = PlainProvider(MovableClock(time.time()))
    async with listening(provider.app()) as provider_url, aiohttp.ClientSession() as session:
        texts = {
            "tenant_subdomain": "",
            "tenant_id": "",
            "authority": ISSUER,
            "client_id": API,
            "client_secret": SECRET,
            "audience": AUDIENCE,
            "allowed_clients": f"{CLIENT},another",
            "scope": SCOPE,
            "ca_bundle": ONE_CERTIFICATE,
            **settings,
        }
        known = settings_for(f"op.example={provider_url}", **texts)
        app = create_app(known, patience=QUICK, now=provider.now)
        async with listening(app, longest_token=known.longest_token) as url:
            yield Scene(url, provider, session)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """Run the API behind another authority."""
    async with running() as scene:
        yield scene


ACCEPTED: list[dict[str, Any]] = [
    {},
    {"scope": SCOPE},
    {"aud": [AUDIENCE]},
    {"aud": [AUDIENCE, f"{ISSUER}/userinfo"]},
    {"client_id": "another"},
    {"oid": 7, "tid": ["x"], "ver": 1, "azp": 7, "scp": [SCOPE], "idtyp": "app", "appid": {}},
    {"auth_time": "2026-11-26T09:00:00Z", "acr": 1, "amr": "pwd", "sid": 7, "nonce": 7, "nbf": None},
    {"groups": ["a"], "roles": [1], "entitlements": {}, "may_act": {"sub": "x"}},
    {"iat": 1_700_000_000.5, "nbf": 1_700_000_000.25},
]


@pytest.mark.parametrize("changed", ACCEPTED, ids=str)
async def test_W9_a_token_of_rfc_9068_is_read_by_rfc_9068(scene: Scene, changed: dict[str, Any]) -> None:
    assert await scene.believes(scene.token(**changed))


@pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt"])
async def test_W9_its_type_may_be_spelt_as_media_types_are(scene: Scene, typ: str) -> None:
    assert await scene.believes(scene.token(typ=typ))


REFUSED: list[dict[str, Any]] = [
    {"iss": f"{ISSUER}/"},
    {"iss": ...},
    {"aud": API},
    {"aud": [f"{ISSUER}/userinfo"]},
    {"aud": [AUDIENCE, 7]},
    {"aud": f"{AUDIENCE} other"},
    {"aud": ...},
    {"sub": ...},
    {"sub": ""},
    {"sub": 7},
    {"sub": CLIENT},  # an application on its own
    {"client_id": ...},
    {"client_id": "the-Gateway"},
    {"client_id": [CLIENT]},
    {"client_id": "a-stranger"},
    {"client_id": ..., "azp": CLIENT},
    {"jti": ...},
    {"jti": 7},
    {"iat": ...},
    {"exp": ...},
    {"exp": 1},
    {"exp": "tomorrow"},
    {"nbf": 9_999_999_999},
    {"scope": ["openid", SCOPE]},
    {"scope": 7},
]


@pytest.mark.parametrize("changed", REFUSED, ids=str)
async def test_W9_what_rfc_9068_refuses_is_refused(scene: Scene, changed: dict[str, Any]) -> None:
    answer = await scene.patch(scene.token(**changed))

    assert (answer.status, answer.slug) == (401, "invalid-token")
    assert scene.provider.requests[EXCHANGE] == 0


@pytest.mark.parametrize("typ", ["JWT", None, "logout+jwt", "id+jwt", "dpop+jwt", "at+jwtx"])
async def test_S41_a_token_of_another_type_is_no_access_token(scene: Scene, typ: str | None) -> None:
    assert not await scene.believes(scene.token(typ=typ))


async def test_S41_the_providers_id_tokens_and_logout_tokens_do_not_open_the_api(scene: Scene) -> None:
    op = scene.provider
    for token in (
        op.signing.token(op.claims(aud=AUDIENCE, client_id=CLIENT, scope=SCOPE, azp=CLIENT)),
        op.logout_token(aud=AUDIENCE, client_id=CLIENT, scope=SCOPE),
    ):
        assert not await scene.believes(token)


@pytest.mark.parametrize("scope", [..., None, "", "openid", f"{SCOPE}.all", SCOPE.upper(), f"{SCOPE},openid"])
async def test_W9_the_scope_is_a_whole_word_of_the_text(scene: Scene, scope: object) -> None:
    answer = await scene.patch(scene.token(scope=scope))

    assert (answer.status, answer.slug, answer.body["scope"]) == (403, "insufficient-scope", SCOPE)


@pytest.mark.parametrize(
    "when, good", [(-419, True), (-418.5, True), (-421, False), (119, True), (121, False), (None, False)]
)
async def test_W9_a_fresh_sign_in_is_asked_for_in_the_words_of_rfc_9470(
    when: float | None, good: object
) -> None:
    async with running(max_age_seconds="300") as scene:
        told = ... if when is None else scene.provider.now() // 1 + when

        assert await scene.believes(scene.token(auth_time=told)) is good
        for odd in ("2026-11-26T09:00:00Z", [1], True):
            assert (await scene.patch(scene.token(auth_time=odd))).challenge.max_age == 300


async def test_W9_without_an_audience_of_its_own_the_client_id_is_it() -> None:
    async with running(audience="") as scene:
        assert await scene.believes(scene.token(aud=API))
        assert not await scene.believes(scene.token())


async def test_W9_what_only_entra_can_is_said_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await scene.patch(scene.token())

    assert (answer.status, answer.slug) == (500, "misconfigured")
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert (
        "RESOURCE_API_AUTHORITY: is it Entra? Only Entra gives tokens for Graph on behalf of somebody"
        in logged
    )


@pytest.mark.parametrize("tenant_id", ["", "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"])
async def test_W9_entras_tokens_under_a_domain_of_its_own_are_read_by_entras_page(tenant_id: str) -> None:
    gateway = "0b9c7e64-2f1d-4a83-8e55-c1a4d0f6b7e2"
    async with running(
        tenant_id=tenant_id,
        allowed_clients=gateway,
        client_id="a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8",
        audience="",
    ) as scene:
        entra: dict[str, Any] = {
            "aud": "a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8",
            "azp": gateway,
            "oid": "an-oid",
            "scp": SCOPE,
            "tid": "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10",
            "ver": "2.0",
            **dict.fromkeys(("client_id", "jti", "scope"), ...),
        }
        assert await scene.believes(scene.token(typ="JWT", **entra))
        for changed in (
            {"oid": ...},
            {"azp": ...},
            {"scp": ..., "scope": SCOPE},
            {"aud": [entra["aud"], "x"]},
        ):
            assert not await scene.believes(scene.token(typ="JWT", **{**entra, **changed}))


@pytest.mark.parametrize("algorithm", ["RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
async def test_W7_the_api_reads_tokens_of_every_family_that_is_listed(scene: Scene, algorithm: str) -> None:
    key = OtherKey("other", algorithm)
    scene.provider.jwks.append(key.jwk())
    scene.provider.metadata = {"id_token_signing_alg_values_supported": [algorithm]}

    assert await scene.believes(key.token(scene.claims(), typ="at+jwt"))
    assert not await scene.believes(scene.token()), "what is not listed is refused"


async def test_W7_keys_that_will_never_do_are_an_administrators_fault(scene: Scene) -> None:
    scene.provider.jwks = [OtherKey("ec", "ES256").jwk()]

    answer = await scene.patch(scene.token())

    assert (answer.status, answer.slug) == (500, "misconfigured")
    assert scene.provider.requests[EXCHANGE] == 0


@pytest.mark.parametrize("groups, longest", [(140, ""), (200, ""), (700, "40000")])
async def test_W8_a_token_that_names_many_groups_is_read(groups: int, longest: str) -> None:
    async with running(**({"longest_token": longest} if longest else {})) as scene:
        names = [f"3f6c2a58-5d0b-4c7e-9a41-{number:012d}" for number in range(groups)]
        token = scene.token(groups=names)
        assert len(token) > groups * 50

        assert await scene.believes(token)
