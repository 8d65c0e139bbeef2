"""S40: every check of the list by itself."""

import pytest

from servicekit.jwt_claims import LOGOUT_EVENT, ClaimRules, check_claims, checks_named
from servicekit.jwt_form import TokenRejected
from tests.unit.servicekit.authority import AUDIENCE, ISSUER, NOW, TENANT, fault

NAMED_255, NAMED_256, NAMED_2048, NAMED_2049 = ("n" * length for length in (255, 256, 2048, 2049))
EVENTS: dict[str, object] = {LOGOUT_EVENT: {}}
BY_CHECK: list[tuple[str, dict[str, object], str]] = [
    ("issuer", {}, ""),
    ("issuer", {"iss": None}, "claim-missing: iss"),
    ("issuer", {"iss": "another"}, "claim-invalid: iss"),
    ("audience among others", {}, ""),
    ("audience among others", {"aud": [AUDIENCE]}, ""),
    ("audience among others", {"aud": ["another", AUDIENCE]}, ""),
    ("audience among others", {"aud": [AUDIENCE, AUDIENCE]}, ""),
    ("audience among others", {"aud": "another"}, "claim-invalid: aud"),
    ("audience among others", {"aud": [[AUDIENCE]]}, "claim-invalid: aud"),
    ("audience among others", {"aud": []}, "claim-invalid: aud"),
    ("audience among others", {"aud": ...}, "claim-missing: aud"),
    ("issued recently", {"iat": NOW - 90}, ""),
    ("issued recently", {"iat": NOW - 90.5}, "expired: iat"),
    ("issued recently", {"iat": None}, "claim-missing: iat"),
    ("nonce", {"nonce": "the-nonce"}, ""),
    ("nonce", {}, "claim-missing: nonce"),
    ("nonce", {"nonce": "another"}, "claim-invalid: nonce"),
    ("nonce", {"nonce": ["the-nonce"]}, "claim-invalid: nonce"),
    ("nonce", {"nonce": "\u00fc"}, "claim-invalid: nonce"),
    ("subject", {"sub": ""}, "claim-invalid: sub"),
    ("subject", {"sub": NAMED_255}, ""),
    ("subject", {"sub": NAMED_256}, "claim-invalid: sub"),
    ("object id", {"oid": NAMED_256}, "claim-invalid: oid"),
    ("session or subject", {"sub": ..., "sid": "s"}, ""),
    ("session or subject", {"sid": None}, ""),
    ("session or subject", {"sub": None}, "claim-missing: sub"),
    ("session or subject", {"sid": NAMED_2048, "sub": NAMED_255}, ""),
    ("session or subject", {"sid": NAMED_2049}, "claim-invalid: sid"),
    ("session or subject", {"sub": NAMED_256, "sid": "s"}, "claim-invalid: sub"),
    ("session or subject", {"sid": 7}, "claim-invalid: sid"),
    ("session or subject", {"sid": ""}, "claim-invalid: sid"),
    ("logout event", {"events": EVENTS}, ""),
    ("logout event", {"events": {**EVENTS, "another": 7}}, ""),
    ("logout event", {}, "claim-missing: events"),
    ("logout event", {"events": {f"{LOGOUT_EVENT}/": {}}}, "claim-invalid: events"),
    ("logout event", {"events": {LOGOUT_EVENT: []}}, "claim-invalid: events"),
    ("logout event", {"events": [LOGOUT_EVENT]}, "claim-invalid: events"),
    ("no nonce", {}, ""),
    ("no nonce", {"nonce": None}, "claim-invalid: nonce"),
    ("identifier", {"jti": NAMED_2048}, ""),
    ("identifier", {"jti": NAMED_2049}, "claim-invalid: jti"),
    ("identifier", {"jti": ""}, "claim-invalid: jti"),
    ("identifier", {}, "claim-missing: jti"),
    ("client", {"client_id": "a-client"}, ""),
    ("client", {"client_id": "A-client"}, "claim-invalid: client_id"),
    ("client", {"client_id": ["a-client"]}, "claim-invalid: client_id"),
    ("client", {"azp": "a-client"}, "claim-missing: client_id"),
    ("delegation", {"client_id": "a-client", "scope": "a b"}, ""),
    ("delegation", {"client_id": "a-client", "scope": None}, ""),
    ("delegation", {"client_id": "a-client"}, ""),
    ("delegation", {"client_id": "a-client", "scope": ["a"]}, "claim-invalid: scope"),
    ("delegation", {"client_id": "a-client", "sub": "a-client"}, "claim-invalid: sub"),
    ("tenant", {"tid": "another"}, "claim-invalid: tid"),
    ("version", {"ver": "1.0"}, "claim-invalid: ver"),
    ("object id", {"oid": ""}, "claim-invalid: oid"),
    ("client of Entra", {"azp": "a-client"}, ""),
    ("client of Entra", {"azp": "A-CLIENT"}, ""),
    ("client of Entra", {"azp": "another"}, "claim-invalid: azp"),
    ("client of Entra", {"client_id": "a-client"}, "claim-missing: azp"),
    ("delegation by Entra", {"scp": "a"}, ""),
    ("delegation by Entra", {"scp": ""}, ""),
    ("delegation by Entra", {"scp": "a", "idtyp": "user"}, ""),
    ("delegation by Entra", {"scp": "a", "idtyp": None}, ""),
    ("delegation by Entra", {"scp": "a", "idtyp": "app"}, "claim-invalid: idtyp"),
    ("delegation by Entra", {"scp": ["a"]}, "claim-invalid: scp"),
    ("delegation by Entra", {"roles": ["a"]}, "claim-missing: scp"),
]


@pytest.mark.parametrize("name, changed, why", BY_CHECK, ids=str)
def test_S40_each_check_by_itself(name: str, changed: dict[str, object], why: str) -> None:
    rules = ClaimRules(
        ISSUER,
        AUDIENCE,
        checks_named(name),
        leeway_seconds=60,
        nonce="the-nonce",
        tenant_id=TENANT,
        version="2.0",
        clients=frozenset({"a-client"}),
        longest_age=30,
    )

    assert fault(rules, **changed) == why


@pytest.mark.parametrize("name", ["nonce", "tenant", "version"])
def test_what_the_rules_do_not_name_is_not_compared(name: str) -> None:
    rules = ClaimRules(ISSUER, AUDIENCE, checks_named(name))

    assert fault(rules, nonce=7, tid=7, ver=1) == ""


def test_no_token_is_recent_for_ever() -> None:
    rules = ClaimRules(ISSUER, AUDIENCE, checks_named("issued recently"))

    assert [fault(rules, iat=NOW - age) for age in (120, 120.5)] == ["", "expired: iat"]


def test_the_logout_event_is_the_specifications() -> None:
    assert LOGOUT_EVENT == "http://schemas.openid.net/event/backchannel-logout"


def test_what_was_issued_too_long_ago_tells_how_long_ago() -> None:
    rules = ClaimRules(ISSUER, AUDIENCE, checks_named("issued recently"), leeway_seconds=30, longest_age=60)

    with pytest.raises(TokenRejected) as rejected:
        check_claims({"iat": NOW - 100}, rules, NOW)

    assert rejected.value.seconds == 100
