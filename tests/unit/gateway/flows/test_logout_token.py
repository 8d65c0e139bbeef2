"""The logout token: what it must and must not say, and whom it then orders to be signed out (S21).

Signature and claims are the verifier's (`tests/unit/servicekit`); here every signature counts as a good one.
"""

from typing import Any

import pytest

from gateway.flows.logout_token import FRESH_SECONDS, LogoutOrder, LogoutTokenJudge
from servicekit.errors import AuthorityUnavailable, BadRequest
from servicekit.jwt_claims import LEEWAY_SECONDS, LOGOUT_EVENT, ClaimRules, check_claims
from servicekit.jwt_verifier import TokenRejected

ISSUER, CLIENT, NOW = "https://login.example.com/tenant/v2.0", "a-client", 1_750_000_000
TOKEN = "a.logout.token"
EVENT = LOGOUT_EVENT
EVENTS: dict[str, object] = {EVENT: {}}


class Believing:
    """Stands where the verifier does, and takes every signature for a good one; the claims are checked as always."""

    def __init__(self, claims: dict[str, Any], now: float) -> None:
        self._claims = claims
        self._now = now
        self.rules: ClaimRules | None = None

    async def verify(self, token: str, rules: ClaimRules) -> dict[str, Any]:
        """Return the claims, if they obey."""
        assert token == TOKEN
        self.rules = rules
        check_claims(self._claims, rules, self._now)
        return self._claims


def believing(now: float = NOW, **changed: Any) -> Believing:
    """Return what believes a good token with changes at a time; None removes a claim."""
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "a-name",
        "events": EVENTS,
        "sub": "sub-of-ada",
        "sid": "a-sid",
        **changed,
    }
    return Believing({name: value for name, value in claims.items() if value is not None}, now)


async def order(*, now: float = NOW, trusted: frozenset[str] = frozenset(), **changed: Any) -> LogoutOrder:
    verifier: Any = believing(now, **changed)
    judge = LogoutTokenJudge(verifier, issuer=ISSUER, client_id=CLIENT, trusted_audiences=trusted)
    return await judge.order(TOKEN)


def one(name: str, value: object) -> Any:
    """Return one claim, to be passed on."""
    return {name: value}


async def refusal(*, now: float = NOW, **changed: Any) -> str:
    with pytest.raises(BadRequest) as refused:
        await order(now=now, **changed)
    assert refused.value.detail == "The logout token cannot be accepted.", "the reason is for the log"
    return refused.value.log_detail


async def test_S21_a_token_that_is_right_orders_what_it_names() -> None:
    assert await order() == LogoutOrder("a-name", NOW, "a-sid", "sub-of-ada")
    assert await order(sub=None) == LogoutOrder("a-name", NOW, "a-sid", None)
    assert await order(sid=None) == LogoutOrder("a-name", NOW, None, "sub-of-ada")


async def test_S21_the_verifier_is_told_whose_token_for_whom_and_of_what_kind() -> None:
    verifier: Any = believing()
    await LogoutTokenJudge(verifier, issuer=ISSUER, client_id=CLIENT).order(TOKEN)

    assert verifier.rules == ClaimRules(
        issuer=ISSUER,
        audience=CLIENT,
        checks=verifier.rules.checks,
        leeway_seconds=120,
        types=frozenset({"logout+jwt", "jwt"}),
        longest_age=120,
    )
    # The order of Back-Channel Logout 1.0, section 2.6, from its fourth point on.
    assert [check.name for check in verifier.rules.checks] == [
        "issuer",
        "audience",
        "authorized party",
        "expiry",
        "issued at",
        "issued recently",
        "not before",
        "session or subject",
        "logout event",
        "no nonce",
        "identifier",
    ]
    assert EVENT == "http://schemas.openid.net/event/backchannel-logout"


@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "jti", "events"])
async def test_S21_what_a_token_must_say_is_missing(name: str) -> None:
    assert await refusal(**one(name, None)) == f"logout token: claim-missing: {name}"


async def test_S21_a_token_is_accepted_for_two_minutes_and_the_difference_of_two_clocks() -> None:
    assert (FRESH_SECONDS, LEEWAY_SECONDS) == (120, 120)
    late = NOW + FRESH_SECONDS + LEEWAY_SECONDS

    assert (await order(now=late, exp=late)).issued_at == NOW
    assert await refusal(now=late + 1, exp=late + 1) == "logout token: expired: iat"
    assert (await order(now=late - 1)).issued_at == NOW
    assert await refusal(now=late) == "logout token: expired: exp"


async def test_S21_an_id_token_does_not_pass_for_a_logout_token() -> None:
    assert await refusal(nonce="n") == "logout token: claim-invalid: nonce"
    assert await refusal(nonce="") == "logout token: claim-invalid: nonce"


@pytest.mark.parametrize(
    "events", [{}, [EVENT], EVENT, {EVENT: None}, {EVENT: "x"}, {f"{EVENT}/": {}}], ids=str
)
async def test_S21_the_event_is_a_logout(events: object) -> None:
    assert await refusal(events=events) == "logout token: claim-invalid: events"


async def test_S21_other_events_beside_it_do_no_harm() -> None:
    for events in ({**EVENTS, "https://example.com/other": {}}, {EVENT: {"a": "member"}}):
        assert (await order(events=events)).identifier == "a-name"


async def test_S21_a_token_names_a_session_or_a_subject_and_itself() -> None:
    assert await refusal(sid=None, sub=None) == "logout token: claim-missing: sub"


@pytest.mark.parametrize("name, length", [("sid", 2048), ("sub", 255), ("jti", 2048)])
async def test_S21_a_name_is_text_of_a_bearable_length(name: str, length: int) -> None:
    longest = "x" * length

    assert longest in {
        getattr(await order(**one(name, longest)), field) for field in ("sid", "sub", "identifier")
    }
    for odd in ("", longest + "x"):
        assert await refusal(**one(name, odd)) == f"logout token: claim-invalid: {name}"
    numbers: tuple[object, ...] = (7, [], {})
    for number in numbers:
        assert await refusal(**one(name, number)) == f"logout token: claim-invalid: {name}"


@pytest.mark.parametrize(
    "odd",
    [
        {"ver": 1},
        {"tid": 7},
        {"typ": "Logout"},
        {"auth_time": "yesterday"},
        {"amr": 7},
        {"iat": NOW + 0.5, "exp": NOW + 120.5},
        {"nbf": NOW - 1.5},
        {"aud": [CLIENT]},
        {"azp": CLIENT},
        {"trace_id": [1]},
    ],
    ids=str,
)
async def test_W2_what_a_provider_says_beside_it_does_not_decide(odd: dict[str, Any]) -> None:
    assert await order(**odd) == LogoutOrder("a-name", NOW, "a-sid", "sub-of-ada")


@pytest.mark.parametrize("name", ["sid", "sub"])
async def test_W2_a_name_that_is_null_is_one_that_is_missing(name: str) -> None:
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": NOW, "exp": NOW + 120, "jti": "a-name", "events": EVENTS}
    verifier: Any = Believing({**claims, "sid": "a-sid", "sub": "sub-of-ada", name: None}, NOW)
    named = await LogoutTokenJudge(verifier, issuer=ISSUER, client_id=CLIENT).order(TOKEN)

    assert getattr(named, name) is None
    assert (named.sid or named.sub) in {"a-sid", "sub-of-ada"}


@pytest.mark.parametrize(
    "aud, azp, why",
    [
        ([CLIENT, "beside"], None, ""),
        ([CLIENT, "beside"], CLIENT, ""),
        ([CLIENT, "beside"], "beside", "logout token: claim-invalid: azp"),
        ([CLIENT, "beside", "another"], CLIENT, "logout token: claim-invalid: aud"),
        (["beside"], CLIENT, "logout token: claim-invalid: aud"),
    ],
)
async def test_W13_a_logout_token_may_name_others_that_are_trusted(
    aud: list[str], azp: str | None, why: str
) -> None:
    trusted = frozenset({"beside"})
    if why:
        assert await refusal(trusted=trusted, aud=aud, azp=azp) == why
    else:
        assert (await order(trusted=trusted, aud=aud, azp=azp)).identifier == "a-name"
        assert await refusal(aud=aud, azp=azp) == "logout token: claim-invalid: aud"


class Failing:
    """Stands where the verifier does, and cannot say."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def verify(self, _token: str, _rules: ClaimRules) -> dict[str, Any]:
        """Raise."""
        raise self._error


async def test_S21_a_token_that_nobody_signed_is_refused_and_an_authority_that_is_away_is_no_refusal() -> (
    None
):
    forged: Any = Failing(TokenRejected("signature"))
    away: Any = Failing(AuthorityUnavailable("away"))

    with pytest.raises(BadRequest, match="logout token: signature"):
        await LogoutTokenJudge(forged, issuer=ISSUER, client_id=CLIENT).order(TOKEN)
    with pytest.raises(AuthorityUnavailable):
        await LogoutTokenJudge(away, issuer=ISSUER, client_id=CLIENT).order(TOKEN)
