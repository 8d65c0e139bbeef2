"""The ID token of a refresh, clocks that differ, and what is shown of a person, by the judge itself (S4, S28)."""

import re
import time
from typing import Any, Final

import pytest

from gateway.errors import SignInFailed
from gateway.tokens.id_token import AnotherPerson, IdTokenJudge
from servicekit.errors import Misconfigured
from servicekit.jwt_claims import ClaimRules, check_claims
from servicekit.jwt_form import ALGORITHM, TokenRejected

TENANT: Final = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"
ISSUER: Final = f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"
CLIENT: Final = "a-client"
NOW: Final = int(time.time())
CLAIMS: Final = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW,
    "exp": NOW + 600,
    "sub": "a-subject",
    "oid": "an-object",
    "tid": TENANT,
    "ver": "2.0",
}


class Believing:
    """Stands where the verifier does: takes every signature for a good one, or refuses as it is told."""

    def __init__(self, claims: dict[str, Any], *, refusal: TokenRejected | None, keys_are_new: bool) -> None:
        self.compared: list[dict[str, Any]] = []
        self._claims = claims
        self._refusal = refusal
        self._keys_are_new = keys_are_new

    async def verify(self, _token: str, rules: ClaimRules) -> dict[str, Any]:
        """Return the claims, if they obey."""
        if self._refusal:
            raise self._refusal
        check_claims(self._claims, rules, NOW)
        return self._claims

    def compare_clocks(self, claims: dict[str, Any]) -> None:
        """Note what was compared."""
        self.compared.append(claims)

    async def check_keys(self) -> bool:
        """Say whether the keys were fetched anew."""
        return self._keys_are_new


def believing(
    *, refusal: TokenRejected | None = None, keys_are_new: bool = True, **changed: Any
) -> tuple[IdTokenJudge, Believing]:
    """Return Entra's judge who meets these claims, and what it asks; None removes a claim."""
    claims = {name: value for name, value in (CLAIMS | changed).items() if value is not None}
    verifier: Any = Believing(claims, refusal=refusal, keys_are_new=keys_are_new)
    return IdTokenJudge(
        verifier, issuer=ISSUER, client_id=CLIENT, tenant_id=TENANT, leeway_seconds=30
    ), verifier


async def renew(tenant: str | None = TENANT, **changed: Any) -> Believing:
    """Judge a refreshed token with these claims; an authority without `tenant` is none of Entra's."""
    judge, verifier = believing(**changed)
    if tenant is None:
        any_verifier: Any = verifier
        judge = IdTokenJudge(any_verifier, issuer=ISSUER, client_id=CLIENT, leeway_seconds=30)
    await judge.check_renewed("a.b.c", tid=TENANT, oid="an-object", sub="a-subject")
    return verifier


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"exp": NOW - 10_000},
        {"iat": NOW + 10_000},
        {"nbf": NOW + 10_000},
        {"exp": 1},
        {"nonce": "whatever"},
        {"iat": 0},
    ],
    ids=["as it is", "ended", "from tomorrow", "for tomorrow", "ended in 1970", "another nonce", "from 1970"],
)
async def test_S4_S28_a_refresh_asks_for_the_person_and_not_for_the_time(changed: dict[str, Any]) -> None:
    verifier = await renew(**changed)

    assert [one["sub"] for one in verifier.compared] == ["a-subject"], "clocks are compared all the same"


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"sub": "another"}, "sub"),
        ({"oid": "another"}, "oid"),
        ({"tid": "another"}, "tid"),
        ({"iss": "https://another.example"}, "iss"),
        ({"sub": "another", "oid": "another", "iss": "x"}, "iss, oid, sub"),
    ],
)
async def test_S28_another_person_is_told_by_what_differs(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(AnotherPerson) as other:
        await renew(**changed)

    assert str(other.value) == named


@pytest.mark.parametrize("changed", [{"oid": "another"}, {"tid": "another"}])
async def test_S28_elsewhere_tenant_and_object_name_nobody(changed: dict[str, Any]) -> None:
    await renew(tenant=None, **changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"oid": None},
        {"tid": None},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"azp": "another"},
        {"ver": "1.0"},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": True},
    ],
    ids=str,
)
async def test_S4_a_refreshed_token_that_is_not_whole_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(SignInFailed) as refused:
        await renew(**changed)

    assert refused.value.log_detail.startswith("ID token: ")


async def test_a_sign_in_compares_the_clocks_too() -> None:
    judge, verifier = believing()

    await judge.person("a.b.c", nonce=None)

    assert len(verifier.compared) == 1


@pytest.mark.parametrize(
    "changed, told",
    [
        ({"iat": NOW + 600}, r"`iat` of an ID token that came just now lies ahead by \d{3} s"),
        (
            {"exp": NOW - 600, "iat": NOW - 900},
            r"`exp` of an ID token that came just now was over by \d{3} s",
        ),
    ],
)
async def test_R21_clocks_that_differ_are_an_operators_affair(changed: dict[str, Any], told: str) -> None:
    judge, _ = believing(**changed)

    with pytest.raises(Misconfigured) as refused:
        await judge.person("a.b.c", nonce=None)

    rest = ", by this machine's clock, and GATEWAY_CLOCK_LEEWAY_SECONDS forgives 30 s; set the clock by NTP"
    assert refused.value.log_detail.startswith("clocks differ: `")
    assert refused.value.log_detail.endswith(rest)
    assert re.search(told, refused.value.log_detail)


@pytest.mark.parametrize("seconds, is_taken", [(29, True), (40, False)])
async def test_R21_the_leeway_is_the_one_that_was_set(seconds: int, *, is_taken: bool) -> None:
    judge, _ = believing(iat=NOW + seconds)

    if is_taken:
        await judge.person("a.b.c", nonce=None)
    else:
        with pytest.raises(Misconfigured):
            await judge.person("a.b.c", nonce=None)


@pytest.mark.parametrize("keys_are_new", [True, False])
async def test_S42_an_algorithm_that_is_none_of_ours_may_be_one_of_newer_keys(*, keys_are_new: bool) -> None:
    refusal = TokenRejected(ALGORITHM, "HS256")
    judge, _ = believing(refusal=refusal, keys_are_new=keys_are_new)

    with pytest.raises(SignInFailed):
        await judge.person("a.b.c", nonce=None)

    assert refusal.keys_may_be_old is not keys_are_new


@pytest.mark.parametrize(
    "changed, shown",
    [
        ({"name": "Ada Lovelace", "preferred_username": "ada"}, ("Ada Lovelace", "ada", "")),
        ({"email": "ada@example.com", "preferred_username": "ada"}, ("ada", "ada@example.com", "")),
        ({"name": " ", "email": "", "preferred_username": "ada"}, ("ada", "ada", "")),
        ({"sid": "a-session"}, ("", "", "a-session")),
        ({"sid": "s" * 300}, ("", "", "s" * 300)),
        ({"sid": 7, "name": 7, "email": ["x"]}, ("", "", "")),
    ],
)
async def test_what_is_shown_of_a_person_is_what_there_is(
    changed: dict[str, Any], shown: tuple[str, str, str]
) -> None:
    judge, _ = believing(**changed)

    person = await judge.person("a.b.c", nonce=None)

    assert (person.name, person.username, person.sid) == shown
