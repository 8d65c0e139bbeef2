"""Bearer challenges: built, parsed, and never a reason to fall over."""

import base64
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.challenges import BearerChallenge, parse_bearer_challenges

CLAIMS = '{"access_token":{"capolids":{"essential":true,"values":["a>?b"]}}}'
STANDARD = base64.b64encode(CLAIMS.encode()).decode()
ENTRA = (
    'Bearer realm="", authorization_uri="https://login.example.com/t/oauth2/v2.0/authorize", '
    f'client_id="a7d1f3c2", error="insufficient_claims", claims="{STANDARD}"'
)


def parse_one(*headers: str) -> BearerChallenge:
    (challenge,) = parse_bearer_challenges(headers)
    return challenge


def test_entras_form_is_built_and_read() -> None:
    challenge = BearerChallenge(
        realm="",
        authorization_uri="https://login.example.com/t/oauth2/v2.0/authorize",
        client_id="a7d1f3c2",
        error="insufficient_claims",
        claims=CLAIMS,
    )

    assert challenge.header() == ENTRA
    assert parse_one(ENTRA) == challenge


@pytest.mark.parametrize(
    "claims",
    [
        STANDARD,
        STANDARD.rstrip("="),
        base64.urlsafe_b64encode(CLAIMS.encode()).decode(),
        base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("="),
    ],
)
def test_claims_come_in_every_base64(claims: str) -> None:
    assert parse_one(f'Bearer error="insufficient_claims", claims="{claims}"').claims == CLAIMS


@pytest.mark.parametrize(
    "claims",
    ["", "!", "A", "{}", base64.b64encode(b"[1]").decode(), base64.b64encode(b"\xff").decode(), "e30=e30="],
)
def test_claims_that_are_none_read_as_absent_and_the_demand_stays(claims: str) -> None:
    challenge = parse_one(f'Bearer error="insufficient_claims", claims="{claims}"')

    assert (challenge.error, challenge.claims) == ("insufficient_claims", None)


@pytest.mark.parametrize(
    "headers, errors",
    [
        (["Bearer"], [None]),
        (["bearer error=x"], ["x"]),
        (['BEARER ERROR="x"'], ["x"]),
        (["Bearer error=x, Bearer error=y"], ["x", "y"]),
        (["Bearer error=x", "Bearer error=y"], ["x", "y"]),
        (['Basic realm="a, Bearer error=no", Bearer error="yes"'], ["yes"]),
        (["Negotiate abc==, Bearer error=x"], ["x"]),
        (["Negotiate, Bearer error=x"], ["x"]),
        (["Bearer abc=="], [None]),
        (['Digest realm="r", nonce=abc, qop="auth,auth-int", Bearer error=x'], ["x"]),
        (['Bearer error = "x" , scope = "a b"'], ["x"]),
        ([',, Bearer error="x",,'], ["x"]),
        (['Bearer error="a\\"b\\\\c"'], ['a"b\\c']),
        (['Bearer error="x", error="y"'], []),
        (['Bearer error="x", ERROR="y", Bearer error=z'], ["z"]),
        (['Bearer error="x'], []),
        (['Bearer error="x" scope="y"'], []),
        (['Bearer error=x, Bearer error="y'], ["x"]),
        (["Bearer authorization_uri=https://a/b?c=d, error=x"], ["x"]),
        (["BearerX error=x"], []),
        (["XBearer error=x"], []),
        ([""], []),
        ([" "], []),
        (["="], []),
        (['"'], []),
        (["Bearer error=x" + " " * 20_000], []),
    ],
)
def test_the_grammar_of_rfc_9110(headers: list[str], errors: list[str | None]) -> None:
    assert [challenge.error for challenge in parse_bearer_challenges(headers)] == errors


def test_rfc_9470_is_read() -> None:
    challenge = parse_one('Bearer error="insufficient_user_authentication", max_age="5", acr_values="a b"')

    assert (challenge.max_age, challenge.acr_values) == (5, "a b")


@pytest.mark.parametrize("age", ["-1", "1.5", "x", "", "9999999999", "٣", "0x5"])
def test_an_age_that_is_no_number_reads_as_absent(age: str) -> None:
    assert parse_one(f'Bearer error=x, max_age="{age}"').max_age is None


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "\x00", "ü", "a\x7f"])
def test_S35_a_value_that_no_header_can_carry_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="can't carry"):
        BearerChallenge(scope=value).header()


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
challenges = st.builds(
    BearerChallenge,
    error=st.none() | printable,
    realm=st.none() | printable,
    scope=st.none() | printable,
    client_id=st.none() | printable,
    acr_values=st.none() | printable,
    max_age=st.none() | st.integers(0, 10**9 - 1),
    claims=st.none() | st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=3).map(json.dumps),
)


@settings(max_examples=150)
@given(st.lists(challenges, min_size=1, max_size=3))
def test_what_is_built_is_read_back(built: list[BearerChallenge]) -> None:
    headers = [challenge.header() for challenge in built]

    assert parse_bearer_challenges(headers) == built
    assert parse_bearer_challenges([", ".join(headers)]) == built


@settings(max_examples=300)
@given(st.lists(st.text(max_size=80) | st.text(alphabet='Bbearer ="\\,a=\t', max_size=60), max_size=3))
def test_nothing_ever_raises(headers: list[str]) -> None:
    parse_bearer_challenges(headers)


@pytest.mark.parametrize(
    "header",
    [
        'Bearer a="' + '\\"' * 8000,
        "Bearer " + "a" * 16_000,
        "a " * 8000,
        "Bearer " + "a=b," * 4000,
        "a," * 8000,
        "Bearer a=b" + " " * 16_000,
        "Bearer " + '"' * 16_000,
        "Bearer " * 2300,
    ],
    ids=lambda header: header[:12],
)
def test_hostile_headers_cost_no_time(header: str) -> None:
    start = time.thread_time()
    parse_bearer_challenges([header])
    assert time.thread_time() - start < 2
