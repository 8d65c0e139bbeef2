"""S40: what the claims of a token must say."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.jwt_claims import (
    CHECKS,
    ClaimRules,
    authentication_time,
    check_claims,
    checks_named,
)
from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, EXPIRED, NOT_YET_VALID, TokenRejected
from tests.unit.servicekit.authority import AUDIENCE, ISSUER, NOW, RULES, TENANT, claims, fault
from tests.unit.servicekit.believer import Believer

HUGE = 10**19


async def test_a_good_token_is_believed(believer: Believer) -> None:
    token = believer.signer.sign(claims(scp="a b"))

    assert await believer.verifier.verify(token, RULES) == claims(scp="a b")


async def test_an_audience_of_one_element_is_as_good_as_the_element(believer: Believer) -> None:
    token = believer.signer.sign(claims(aud=[AUDIENCE]))

    assert (await believer.verifier.verify(token, RULES))["aud"] == [AUDIENCE]


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "tid", "ver", "oid", "sub"])
@pytest.mark.parametrize("value", [..., None])
async def test_S40_a_required_claim_is_missing_or_null(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_MISSING, name)


COMPARED = ["iss", "aud", "tid", "ver"]
TEXTS = [*COMPARED, "oid", "sub", "azp"]
ODD = [True, False, 0, 1.5, [], {}, [ISSUER], {"a": 1}, HUGE]


@pytest.mark.parametrize(
    "name, value",
    [(name, value) for name in TEXTS for value in ODD]
    + [(name, "") for name in (*COMPARED, "oid", "sub", "azp")],
)
async def test_S40_texts_that_are_compared_or_looked_up_are_texts(
    believer: Believer, name: str, value: object
) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_INVALID, name)


UNREAD = ["appid", "scp", "idtyp", "sid", "nonce", "jti", "auth_time", "amr", "acr", "events", "scope", "x"]


@pytest.mark.parametrize("name", UNREAD)
@pytest.mark.parametrize("value", [*ODD, None, "", "1999-12-31T23:59:59Z", -1], ids=repr)
def test_W2_a_claim_that_no_check_reads_never_decides(name: str, value: object) -> None:
    check_claims(claims(**{name: value}), RULES, NOW)


@pytest.mark.parametrize("name", ["tid", "ver", "oid", "azp", "sub"])
@pytest.mark.parametrize("value", [*ODD, None, ""], ids=repr)
def test_W2_elsewhere_than_at_entra_its_claims_say_nothing(name: str, value: object) -> None:
    rules = ClaimRules(ISSUER, AUDIENCE, checks_named("issuer", "audience", "expiry", "issued at"))

    check_claims(claims(**{name: value}), rules, NOW)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", [True, False, 1e15, HUGE, -1, -0.5, "", str(NOW), [NOW], {}, 253_402_300_799.5], ids=repr
)
async def test_S40_times_are_numbers_of_this_age(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_INVALID, name)


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.123456])
async def test_W2_a_time_may_have_a_fraction(believer: Believer, fraction: float) -> None:
    times = {"iat": NOW - 10 + fraction, "nbf": NOW - 10 + fraction, "exp": NOW + 600 + fraction}

    assert await believer.verifier.verify(believer.signer.sign(claims(**times)), RULES) == claims(**times)


NEARLY: dict[str, list[object]] = {
    "iss": [
        ISSUER + "/",
        ISSUER[:-1],
        " " + ISSUER,
        ISSUER.upper(),
        ISSUER.replace("https", "http"),
        ISSUER + "\u0000",
    ],
    "aud": [
        AUDIENCE + "x",
        AUDIENCE[:-1],
        f"api://{AUDIENCE}",
        AUDIENCE.upper(),
        [AUDIENCE, "other"],
        [AUDIENCE, AUDIENCE],
        [[AUDIENCE]],
        [],
        "00000003-0000-0000-c000-000000000000",
    ],
    "tid": [TENANT + "0", TENANT[:-1], TENANT.upper(), "11111111-2222-4333-8444-555555555555"],
    "ver": ["1.0", "2", "2.00", "2.0 ", "02.0"],
}


@pytest.mark.parametrize(
    "name, value", [(name, value) for name, values in NEARLY.items() for value in values]
)
async def test_S40_nearly_right_is_wrong(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_INVALID, name)


@pytest.mark.parametrize(
    "changed, code, claim",
    [
        ({"exp": NOW - 119, "iat": NOW - 3600}, None, None),
        ({"exp": NOW - 120, "iat": NOW - 3600}, EXPIRED, "exp"),
        ({"exp": NOW - 121, "iat": NOW - 3600}, EXPIRED, "exp"),
        ({"nbf": NOW + 120}, None, None),
        ({"nbf": NOW + 121}, NOT_YET_VALID, "nbf"),
        ({"iat": NOW + 120}, None, None),
        ({"iat": NOW + 121}, NOT_YET_VALID, "iat"),
        ({"nbf": NOW + 120.5}, NOT_YET_VALID, "nbf"),
        ({"iat": NOW + 120.5}, NOT_YET_VALID, "iat"),
        ({"exp": NOW - 120.5, "iat": NOW - 3600}, EXPIRED, "exp"),
        ({"exp": NOW - 119.5, "iat": NOW - 3600}, None, None),
        ({"exp": 1.5, "iat": 0}, EXPIRED, "exp"),
        ({"nbf": ...}, None, None),
        ({"nbf": None}, None, None),
        ({"exp": NOW + 10, "iat": NOW + 10}, None, None),  # no specification compares the two
        ({"exp": 0, "iat": 0}, EXPIRED, "exp"),
        ({"exp": 253_402_300_799}, None, None),  # the end of the year 9999
        ({"exp": 253_402_300_800}, CLAIM_INVALID, "exp"),
    ],
)
async def test_S40_clocks_may_differ_by_two_minutes(
    believer: Believer, changed: dict[str, object], code: str | None, claim: str | None
) -> None:
    token = believer.signer.sign(claims(**changed))

    if code is None:
        assert await believer.verifier.verify(token, RULES)
    else:
        rejected = await believer.rejection(token)
        assert (rejected.code, rejected.claim) == (code, claim)
        if claim and code in {EXPIRED, NOT_YET_VALID}:
            assert rejected.seconds == abs(claims(**changed)[claim] - NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=250)
@given(name=st.sampled_from(["iss", "aud", "exp", "iat", "tid", "ver", "oid", "sub"]), value=json_values)
def test_S40_a_mutated_claim_is_accepted_only_if_it_says_the_same(name: str, value: object) -> None:
    changed = claims(**{name: value})
    try:
        check_claims(changed, RULES, NOW)
    except TokenRejected:
        return
    if name in {"exp", "iat"}:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
        assert 0 <= value < 10**12
    elif name in {"oid", "sub"}:
        assert isinstance(value, str)
        assert value
    else:
        assert value in (claims()[name], [claims()["aud"]])


async def test_rules_that_name_no_tenant_ask_for_none(believer: Believer) -> None:
    rules = ClaimRules(ISSUER, AUDIENCE, checks_named("issuer", "audience", "expiry", "issued at"))
    token = believer.signer.sign(claims(tid=..., ver=..., oid=..., sub=...), typ=...)

    assert await believer.verifier.verify(token, rules)


BESIDE, ANOTHER = "322563454532198402", "another-project"


@pytest.mark.parametrize(
    "aud, azp, why",
    [
        (AUDIENCE, ..., ""),
        (AUDIENCE, AUDIENCE, ""),
        (AUDIENCE, None, ""),
        ([AUDIENCE], ..., ""),
        ([AUDIENCE], AUDIENCE, ""),
        ([AUDIENCE, BESIDE], AUDIENCE, ""),
        ([BESIDE, AUDIENCE], AUDIENCE, ""),
        ([AUDIENCE, BESIDE], ..., "claim-missing: azp"),
        ([AUDIENCE, BESIDE], None, "claim-missing: azp"),
        ([AUDIENCE, BESIDE], BESIDE, "claim-invalid: azp"),
        ([AUDIENCE, BESIDE], [AUDIENCE], "claim-invalid: azp"),
        (AUDIENCE, BESIDE, "claim-invalid: azp"),
        (BESIDE, AUDIENCE, "claim-invalid: aud"),
        ([BESIDE], AUDIENCE, "claim-invalid: aud"),
        ([AUDIENCE, ANOTHER], AUDIENCE, "claim-invalid: aud"),
        ([AUDIENCE, BESIDE, ANOTHER], AUDIENCE, "claim-invalid: aud"),
        ([AUDIENCE, AUDIENCE], AUDIENCE, "claim-invalid: aud"),
        ([BESIDE, BESIDE], AUDIENCE, "claim-invalid: aud"),
        ([AUDIENCE, BESIDE, 7], AUDIENCE, "claim-invalid: aud"),
        (f"{AUDIENCE} {BESIDE}", AUDIENCE, "claim-invalid: aud"),
        ({AUDIENCE: BESIDE}, AUDIENCE, "claim-invalid: aud"),
    ],
)
def test_W13_who_is_named_beside_us_must_be_trusted_and_the_token_ours(
    aud: object, azp: object, why: str
) -> None:
    checks = checks_named("audience", "authorized party named", "authorized party")
    rules = ClaimRules(ISSUER, AUDIENCE, checks, trusted_audiences=frozenset({BESIDE}))

    assert fault(rules, aud=aud, azp=azp) == why


@pytest.mark.parametrize(
    "value, when", [(None, None), (NOW, NOW), (NOW - 0.5, NOW - 0.5), (NOW + 60, NOW + 60), (0, 0)]
)
def test_W2_when_the_person_was_authenticated_is_any_time_or_not_told(
    value: object, when: float | None
) -> None:
    assert authentication_time(claims(auth_time=value), latest=NOW + 60) == when


@pytest.mark.parametrize(
    "value, code",
    [
        (NOW + 61, NOT_YET_VALID),
        (NOW + 60.5, NOT_YET_VALID),
        ("2026-11-26T12:00:00Z", CLAIM_INVALID),
        (str(NOW), CLAIM_INVALID),
        (True, CLAIM_INVALID),
        (-1, CLAIM_INVALID),
        ([NOW], CLAIM_INVALID),
    ],
)
def test_S40_whoever_asks_for_a_fresh_authentication_believes_no_other_value(
    value: object, code: str
) -> None:
    with pytest.raises(TokenRejected) as caught:
        authentication_time(claims(auth_time=value), latest=NOW + 60)

    assert (caught.value.code, caught.value.claim) == (code, "auth_time")


def test_every_check_has_a_name_of_its_own_and_the_clause_that_asks_for_it() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    section = (
        r"(OpenID Connect (Core|Back-Channel Logout) 1\.0|RFC \d{4}), sections? [\d.]+( and [\d.]+)?(, \d+)?"
    )
    entra = "Microsoft identity platform, ID token and access token claims reference"
    for check in CHECKS:
        for clause in check.clause.split("; "):
            assert re.fullmatch(rf"{section}|{entra}", clause), check.name


def test_the_checks_of_a_kind_are_made_in_the_order_of_the_list() -> None:
    kind = checks_named("expiry", "audience", "issuer")

    assert [check.name for check in kind] == ["issuer", "audience", "expiry"]
    assert fault(ClaimRules(ISSUER, AUDIENCE, kind), iss="x", aud="x", exp=0) == "claim-invalid: iss"


def test_a_check_that_does_not_exist_is_a_fault_of_ours() -> None:
    with pytest.raises(LookupError, match=r"^no check is called audiences$"):
        checks_named("issuer", "objects", "audiences")


def test_a_kind_of_token_may_insist_on_its_type() -> None:
    lenient, strict = (ClaimRules(ISSUER, AUDIENCE, (), typed=typed) for typed in (False, True))

    assert [lenient.is_for(typ) for typ in ("jwt", "", "at+jwt")] == [True, True, False]
    assert [strict.is_for(typ) for typ in ("jwt", "", "at+jwt")] == [True, False, False]
