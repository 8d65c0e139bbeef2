"""The ID token's judge by itself: what it asks for beside signature, and whom it then names (S3, S4, S40).

MSAL compares the nonce too, so that through the callback nobody could tell whether we do.
"""

import time
from typing import Any

import pytest

from gateway.errors import SignInFailed
from gateway.tokens.id_token import IdTokenJudge
from servicekit.jwt_claims import ClaimRules, check_claims

TENANT = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"
ISSUER = f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"
CLIENT = "a-client"


class Believing:
    """Stands where the verifier does, and takes every signature for a good one; the claims are checked as always."""

    def __init__(self, claims: dict[str, Any]) -> None:
        self._claims = claims

    async def verify(self, _token: str, rules: ClaimRules) -> dict[str, Any]:
        """Return the claims, if they obey."""
        check_claims(self._claims, rules, time.time())
        return self._claims

    def compare_clocks(self, claims: dict[str, Any]) -> int:
        """Return how far ours is ahead."""
        return round(time.time() - int(claims["iat"]))


def judge(
    *, tenant: str | None = TENANT, trusted: frozenset[str] = frozenset(), **changed: Any
) -> IdTokenJudge:
    """Return a judge who meets these claims; None removes one, and ... stands for null."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 600,
        "sub": "a-subject",
        "oid": "an-object",
        "tid": TENANT,
        "ver": "2.0",
        "nonce": "n",
        "preferred_username": "ada@example.com",
        **changed,
    }
    said = {name: None if value is ... else value for name, value in claims.items() if value is not None}
    believing: Any = Believing(said)
    return IdTokenJudge(
        believing, issuer=ISSUER, client_id=CLIENT, tenant_id=tenant, trusted_audiences=trusted
    )


async def test_S4_a_whole_token_names_its_person() -> None:
    person = await judge().person("a.b.c", nonce="n")

    assert (person.tid, person.oid, person.sub) == (TENANT, "an-object", "a-subject")
    assert person.name == person.username == "ada@example.com"
    assert person.sid == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"tid": "another"},
        {"tid": None},
        {"ver": "1.0"},
        {"ver": None},
        {"oid": None},
        {"oid": ""},
        {"sub": ""},
        {"sub": None},
        {"azp": "another"},
        {"azp": ["a-client"]},
        {"aud": ["a-client", "another"], "azp": "a-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
        {"nonce": ["n"]},
        {"nonce": ...},
        {"ver": 2.0},
        {"tid": [TENANT]},
        {"sub": 7},
        {"oid": ["an-object"]},
    ],
    ids=str,
)
async def test_S3_S4_S40_at_entra_every_claim_must_be_right(changed: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed):
        await judge(**changed).person("a.b.c", nonce="n")


@pytest.mark.parametrize("token", [None, 7, {}, b"a.b.c"])
async def test_S4_what_is_no_text_is_no_token(token: object) -> None:
    with pytest.raises(SignInFailed):
        await judge().person(token, nonce="n")


@pytest.mark.parametrize("nonce", ["n", None])
async def test_a_refresh_sent_no_nonce_and_expects_none(nonce: str | None) -> None:
    assert (await judge(nonce=nonce).person("a.b.c", nonce=None)).oid == "an-object"


async def test_elsewhere_issuer_and_subject_stand_for_tenant_and_object() -> None:
    person = await judge(tenant=None, tid=None, ver=None, oid=None).person("a.b.c", nonce="n")

    assert (person.tid, person.oid, person.sub) == (ISSUER, "a-subject", "a-subject")


# What providers are known to say in ID tokens beside, or in another form than, Entra.
SAID_BY: dict[str, dict[str, Any]] = {
    "Okta": {"ver": 1, "jti": "ID.x", "amr": ["pwd"], "idp": "00o1", "at_hash": "x"},
    "Auth0": {"sid": "s", "updated_at": "2026-11-26T09:00:00.000Z", "email_verified": True},
    "Keycloak": {"typ": "ID", "azp": CLIENT, "acr": "1", "auth_time": 0, "nbf": 0, "sid": "s"},
    "Cognito": {"token_use": "id", "cognito:groups": ["a"], "identities": [{"primary": "true"}]},
    "Google": {"azp": CLIENT, "hd": "example.com", "email_verified": "true"},
    "Zitadel": {"amr": ["pwd", "mfa"], "auth_time": 1, "client_id": CLIENT, "azp": CLIENT},
    "Kanidm": {"amr": ..., "auth_time": ..., "acr": ..., "azp": CLIENT, "s_claims": {}},
    "Authentik": {"uid": "x", "acr": "goauthentik.io/providers/oauth2/default", "amr": ["pwd"]},
    "Dex": {"aud": [CLIENT], "at_hash": "x", "federated_claims": {"connector_id": "c"}},
    "Ping": {"pi.sri": "x", "acr": 1, "sid": 7},
    "AD FS": {"ver": "1.0", "appid": 7, "scp": ["openid"], "auth_time": "2026-11-26T09:00:00.000Z"},
    "Authelia": {"aud": [CLIENT], "amr": [], "rat": 1, "azp": CLIENT, "client_id": CLIENT},
    "fractions of seconds": {"iat": 1_700_000_000.5, "nbf": 1_700_000_000.25},
    "another's tenant": {"tid": 7, "idtyp": ["user"], "oid": 7, "azp": ...},
    "an audience that is a list": {"aud": [CLIENT]},
}


@pytest.mark.parametrize("provider", SAID_BY)
@pytest.mark.parametrize("nonce", ["n", None])
async def test_W2_what_other_providers_say_does_not_decide(provider: str, nonce: str | None) -> None:
    person = await judge(tenant=None, **SAID_BY[provider]).person("a.b.c", nonce=nonce)

    assert (person.tid, person.oid, person.sub) == (ISSUER, "a-subject", "a-subject")
    assert person.sid in {"", "s"}, "what is no text is as if it were not there"


async def test_W13_another_audience_is_one_that_an_operator_has_named() -> None:
    named: dict[str, Any] = {"aud": [CLIENT, "322563454532198402"], "azp": CLIENT}
    trusted = frozenset({"322563454532198402"})

    assert (await judge(tenant=None, trusted=trusted, **named).person("a.b.c", nonce="n")).sub == "a-subject"
    for refused in (named, {**named, "aud": [*named["aud"], "x"]}, {**named, "azp": "322563454532198402"}):
        with pytest.raises(SignInFailed):
            await judge(tenant=None, trusted=frozenset({"y"}), **refused).person("a.b.c", nonce="n")
    with pytest.raises(SignInFailed, match="claim-missing: azp"):
        await judge(tenant=None, trusted=trusted, aud=named["aud"]).person("a.b.c", nonce="n")
