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


def judge(*, tenant: str | None = TENANT, **changed: Any) -> IdTokenJudge:
    """Return a judge who meets these claims; None removes one."""
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
    believing: Any = Believing({name: value for name, value in claims.items() if value is not None})
    return IdTokenJudge(believing, issuer=ISSUER, client_id=CLIENT, tenant_id=tenant)


async def test_S04_a_whole_token_names_its_person() -> None:
    person = await judge().person("a.b.c", nonce="n")

    assert (person.tid, person.oid, person.sub) == (TENANT, "an-object", "a-subject")
    assert person.name == person.username == person.login_hint == "ada@example.com"
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
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": ""},
    ],
    ids=str,
)
async def test_S03_S04_S40_at_entra_every_claim_must_be_right(changed: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed):
        await judge(**changed).person("a.b.c", nonce="n")


@pytest.mark.parametrize("token", [None, 7, {}, b"a.b.c"])
async def test_S04_what_is_no_text_is_no_token(token: object) -> None:
    with pytest.raises(SignInFailed):
        await judge().person(token, nonce="n")


@pytest.mark.parametrize("nonce", ["n", None])
async def test_a_refresh_sent_no_nonce_and_expects_none(nonce: str | None) -> None:
    assert (await judge(nonce=nonce).person("a.b.c", nonce=None)).oid == "an-object"


async def test_elsewhere_issuer_and_subject_stand_for_tenant_and_object() -> None:
    person = await judge(tenant=None, tid=None, ver=None, oid=None).person("a.b.c", nonce="n")

    assert (person.tid, person.oid, person.sub) == (ISSUER, "a-subject", "a-subject")
