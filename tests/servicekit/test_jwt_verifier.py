"""Tokens: what is believed, and everything that is not."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from servicekit.jwt_claims import check_claims
from servicekit.jwt_form import key_id
from servicekit.jwt_verifier import (
    ALGORITHM,
    CLAIM_INVALID,
    CLAIM_MISSING,
    EXPIRED,
    HEADER,
    MALFORMED,
    NOT_YET_VALID,
    SIGNATURE,
    UNKNOWN_KEY,
    ClaimRules,
    JwtVerifier,
    SigningKeys,
    TokenRejected,
)
from tests.servicekit.authority import (
    AUDIENCE,
    ISSUER,
    NOW,
    RULES,
    TENANT,
    Signer,
    claims,
    encoded,
)

HUGE = 10**19


class KnownKeys(SigningKeys):
    """Keys that need no network, and count how often they are asked for."""

    def __init__(self, signers: list[Signer]) -> None:
        self.signers = signers
        self.asked = 0

    async def key(self, kid: str | None) -> RSAPublicKey:
        self.asked += 1
        for signer in self.signers:
            if kid == signer.kid:
                return signer.private.public_key()
        raise TokenRejected(UNKNOWN_KEY)


class Believer:
    """A verifier with one key, at a fixed time."""

    def __init__(self) -> None:
        self.signer = Signer("one")
        self.keys = KnownKeys([self.signer])
        self.verifier = JwtVerifier(self.keys, now=lambda: NOW)

    async def rejection(self, token: str) -> TokenRejected:
        """Return why a token is refused; the reason never holds any of it."""
        with pytest.raises(TokenRejected) as caught:
            await self.verifier.verify(token, RULES)
        told = str(caught.value)
        assert all(part not in told for part in token.split(".") if len(part) > 20)
        return caught.value


@pytest.fixture
def believer() -> Believer:
    return Believer()


async def test_a_good_token_is_believed(believer: Believer) -> None:
    token = believer.signer.sign(claims(scp="a b"))

    assert await believer.verifier.verify(token, RULES) == claims(scp="a b")


async def test_an_audience_of_one_element_is_as_good_as_the_element(believer: Believer) -> None:
    token = believer.signer.sign(claims(aud=[AUDIENCE]))

    assert (await believer.verifier.verify(token, RULES))["aud"] == [AUDIENCE]


# --- S39: the mechanics ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part",
    [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"enc": "A128GCM"},
        {"cty": "JWT"},
        {"typ": "logout+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": 7},
        {"kid": 7},
        {"kid": ""},
        {"kid": "k" * 257},
        {"kid": ["one"]},
    ],
)
async def test_S39_a_header_with_rules_or_keys_of_its_own_is_refused(
    believer: Believer, part: dict[str, object]
) -> None:
    assert (await believer.rejection(believer.signer.sign(claims(), **part))).code == HEADER
    assert believer.keys.asked == 0


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "", "HS256", "RS384", "PS256", "ES256", "rs256", ..., None, 7]
)
async def test_S39_only_rs256_is_an_algorithm(believer: Believer, alg: object) -> None:
    assert (await believer.rejection(believer.signer.sign(claims(), alg=alg))).code == ALGORITHM


def public_key_spellings(signer: Signer) -> list[bytes]:
    """Return the public key in every spelling that somebody once took for an HMAC secret."""
    public = signer.private.public_key()
    forms = serialization.PublicFormat
    pem = public.public_bytes(serialization.Encoding.PEM, forms.SubjectPublicKeyInfo)
    pkcs1 = public.public_bytes(serialization.Encoding.PEM, forms.PKCS1)
    der = public.public_bytes(serialization.Encoding.DER, forms.SubjectPublicKeyInfo)
    ssh = public.public_bytes(serialization.Encoding.OpenSSH, forms.OpenSSH)
    jwk = json.dumps(signer.jwk()).encode()
    return [
        pem,
        pem.strip(),
        b"\xef\xbb\xbf" + pem,
        pkcs1,
        der,
        base64.b64encode(der),
        ssh,
        jwk,
        b"[" + jwk + b"]",
        b"",
    ]


@pytest.mark.parametrize("at", range(10))
@pytest.mark.parametrize("alg", ["HS256", "RS256"])
async def test_S39_the_public_key_is_no_hmac_secret(believer: Believer, at: int, alg: str) -> None:
    secret = public_key_spellings(believer.signer)[at]
    signed = f"{encoded({'typ': 'JWT', 'alg': alg, 'kid': 'one'})}.{encoded(claims())}"
    token = f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    assert (await believer.rejection(token)).code == (ALGORITHM if alg == "HS256" else SIGNATURE)


async def test_S39_a_signature_of_another_kind_of_key_is_refused(believer: Believer) -> None:
    token = jwt.encode(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "one"})

    assert (await believer.rejection(token)).code == ALGORITHM


def broken_tokens() -> list[str]:
    good = Signer("one").sign(claims())
    head, payload, signature = good.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".index(signature[-1])
    twin = signature[:-1] + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[last ^ 1]
    deep = b'{"alg":"RS256","x":' + b"[" * 9 + b"]" * 9 + b"}"
    deeper = b"[" * 6000
    return [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        head,
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f".{payload}.{signature}",
        f"{head}..{signature}",
        f"{head}.{payload}.{signature}.",
        f"{head}.{payload}.{signature}.{signature}.{signature}",  # five parts: encrypted (JWE)
        f" {good}",
        f"{good} ",
        f"{good}\n",
        f"{head}.{payload}.{signature}==",
        f"{head}=.{payload}.{signature}",
        f"{head}.{payload}.{twin}",  # the same bytes, spelt otherwise
        good.replace("-", "+").replace("_", "/") + "+",
        f"{head}.{payload}.ü",
        f"{head}.{payload}.\x00",
        json.dumps({"protected": head, "payload": payload, "signature": signature}),
        json.dumps({"payload": payload, "signatures": [{"protected": head, "signature": signature}]}),
        f"{encoded(deep)}.{payload}.{signature}",
        f"{encoded(deeper)}.{payload}.{signature}",
        f"{encoded(b'[]')}.{payload}.{signature}",
        f"{encoded(b'null')}.{payload}.{signature}",
        f"{encoded(b'')}.{payload}.{signature}",
        f"{encoded(b'{')}.{payload}.{signature}",
        f"{encoded(bytes([0xFF, 0xFE]))}.{payload}.{signature}",
        encoded(b'{"alg":"none","alg":"RS256","kid":"one"}') + f".{payload}.{signature}",
        f"{head}.{payload}.{signature}{'A' * 16_384}",
        "A" * 16_385,
    ]


@pytest.mark.parametrize("at", range(len(broken_tokens())))
async def test_S39_what_is_no_compact_token_is_refused_before_any_key_is_fetched(
    believer: Believer, at: int
) -> None:
    assert (await believer.rejection(broken_tokens()[at])).code == MALFORMED
    assert believer.keys.asked == 0


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b"\xff",
        b'{"iss":1,"iss":2}',
        b'{"exp":NaN}',
        b'{"exp":1e999}',
        b'{"exp":' + b"9" * 5000 + b"}",
        b'{"a":' * 9 + b"1" + b"}" * 9,
        b'{"a":"\\ud800"}',
    ],
)
async def test_S39_signed_nonsense_is_nonsense(believer: Believer, payload: bytes) -> None:
    assert (await believer.rejection(believer.signer.sign(payload))).code == MALFORMED


async def test_S39_any_flipped_bit_of_the_signature_is_noticed(believer: Believer) -> None:
    head, payload, signature = believer.signer.sign(claims()).split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    for position in range(0, len(raw), 5):
        raw[position] ^= 1
        assert (await believer.rejection(f"{head}.{payload}.{encoded(bytes(raw))}")).code == SIGNATURE
        raw[position] ^= 1


async def test_S39_the_payload_of_another_token_does_not_fit(believer: Believer) -> None:
    head, _, signature = believer.signer.sign(claims()).split(".")

    assert (await believer.rejection(f"{head}.{encoded(claims(oid='other'))}.{signature}")).code == SIGNATURE


async def test_S39_a_key_of_the_same_name_from_elsewhere_does_not_fit(believer: Believer) -> None:
    impostor = Signer("one")
    assert impostor.private is not believer.signer.private

    assert (await believer.rejection(impostor.sign(claims()))).code == SIGNATURE


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){1,5}", fullmatch=True)
)
def test_S39_no_text_is_a_token(text: str) -> None:
    with pytest.raises(TokenRejected):
        key_id(text, frozenset({"jwt"}), "RS256")


# --- S40: the claims --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iss", "aud", "exp", "iat", "tid", "ver", "oid", "sub"])
@pytest.mark.parametrize("value", [..., None])
async def test_S40_a_required_claim_is_missing_or_null(believer: Believer, name: str, value: object) -> None:
    rejected = await believer.rejection(believer.signer.sign(claims(**{name: value})))

    assert (rejected.code, rejected.claim) == (CLAIM_MISSING, name)


COMPARED = ["iss", "aud", "tid", "ver"]
TEXTS = [*COMPARED, "oid", "sub", "azp", "scp", "idtyp", "sid", "nonce", "jti"]
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
    "changed, code",
    [
        ({"exp": NOW - 59, "iat": NOW - 3600}, None),
        ({"exp": NOW - 60, "iat": NOW - 3600}, EXPIRED),
        ({"exp": NOW - 61, "iat": NOW - 3600}, EXPIRED),
        ({"nbf": NOW + 60}, None),
        ({"nbf": NOW + 61}, NOT_YET_VALID),
        ({"iat": NOW + 60}, None),
        ({"iat": NOW + 61}, NOT_YET_VALID),
        ({"auth_time": NOW + 61}, NOT_YET_VALID),
        ({"nbf": ...}, None),
        ({"exp": NOW + 10, "iat": NOW + 10}, CLAIM_INVALID),
        ({"exp": 0, "iat": 0}, EXPIRED),
    ],
)
async def test_S40_clocks_may_differ_by_a_minute(
    believer: Believer, changed: dict[str, object], code: str | None
) -> None:
    token = believer.signer.sign(claims(**changed))

    if code is None:
        assert await believer.verifier.verify(token, RULES)
    else:
        assert (await believer.rejection(token)).code == code


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
