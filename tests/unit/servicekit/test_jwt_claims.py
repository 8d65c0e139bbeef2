"""S40: what the claims of a token must say."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servicekit.jwt_claims import ClaimRules, check_claims
from servicekit.jwt_form import CLAIM_INVALID, CLAIM_MISSING, EXPIRED, NOT_YET_VALID, TokenRejected
from tests.unit.servicekit.authority import AUDIENCE, ISSUER, NOW, RULES, TENANT, claims
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
TEXTS = [*COMPARED, "oid", "sub", "azp", "appid", "scp", "idtyp", "sid", "nonce", "jti"]
ODD = [True, False, 0, 1.5, [], {}, [ISSUER], {"a": 1}, HUGE]


@pytest.mark.parametrize(
    "name, value", [(name, value) for name in TEXTS for value in ODD] + [(name, "") for name in COMPARED]
)
async def test_S40_text_claims_are_text(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_INVALID, name)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize(
    "value", [True, False, 1.5, float(NOW), 1e15, HUGE, -1, "", str(NOW), [NOW], {}], ids=repr
)
async def test_S40_times_are_whole_numbers_of_this_age(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_INVALID, name)


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
        ({"exp": NOW - 59, "iat": NOW - 3600}, None, None),
        ({"exp": NOW - 60, "iat": NOW - 3600}, EXPIRED, "exp"),
        ({"exp": NOW - 61, "iat": NOW - 3600}, EXPIRED, "exp"),
        ({"nbf": NOW + 60}, None, None),
        ({"nbf": NOW + 61}, NOT_YET_VALID, "nbf"),
        ({"iat": NOW + 60}, None, None),
        ({"iat": NOW + 61}, NOT_YET_VALID, "iat"),
        ({"auth_time": NOW + 61}, NOT_YET_VALID, "auth_time"),
        ({"nbf": ...}, None, None),
        ({"exp": NOW + 10, "iat": NOW + 10}, CLAIM_INVALID, "exp"),
        ({"exp": 0, "iat": 0}, EXPIRED, "exp"),
        ({"exp": 253_402_300_799}, None, None),  # the end of the year 9999
        ({"exp": 253_402_300_800}, CLAIM_INVALID, "exp"),
    ],
)
async def test_S40_clocks_may_differ_by_a_minute(
    believer: Believer, changed: dict[str, object], code: str | None, claim: str | None
) -> None:
    token = believer.signer.sign(claims(**changed))

    if code is None:
        assert await believer.verifier.verify(token, RULES)
    else:
        rejected = await believer.rejection(token)
        assert (rejected.code, rejected.claim) == (code, claim)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(["iss", "aud", "exp", "iat", "tid", "ver", "oid", "sub"]), value=json_values)
def test_S40_a_mutated_claim_is_accepted_only_if_it_says_the_same(name: str, value: object) -> None:
    changed = claims(**{name: value})
    try:
        check_claims(changed, RULES, NOW)
    except TokenRejected:
        return
    if name in {"exp", "iat"}:
        assert type(value) is int
        assert abs(value - NOW) < 10**12
    elif name in {"oid", "sub"}:
        assert isinstance(value, str)
    else:
        assert value in (claims()[name], [claims()["aud"]])


async def test_rules_that_name_no_tenant_ask_for_none(believer: Believer) -> None:
    rules = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
    token = believer.signer.sign(claims(tid=..., ver=..., oid=..., sub=...), typ=...)

    assert await believer.verifier.verify(token, rules)


@pytest.mark.parametrize("name", ["tid", "ver"])
def test_S40_what_is_not_compared_is_text_nevertheless(name: str) -> None:
    rules = ClaimRules(issuer=ISSUER, audience=AUDIENCE)
    check_claims(claims(**{name: "any"}), rules, NOW)

    odds: tuple[object, ...] = (7, ["any"], {})
    for odd in odds:
        with pytest.raises(TokenRejected) as caught:
            check_claims(claims(**{name: odd}), rules, NOW)
        assert (caught.value.code, caught.value.claim) == (CLAIM_INVALID, name)
