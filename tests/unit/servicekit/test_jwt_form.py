"""S39: the mechanics of tokens, from odd headers to forged signatures."""

import base64
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit import jwt_form
from servicekit.jwt_form import (
    ALGORITHM,
    HEADER,
    MALFORMED,
    SIGNATURE,
    TokenHeader,
    TokenRejected,
    read_token,
)
from tests.unit.servicekit.authority import Signer, claims, encoded
from tests.unit.servicekit.believer import Believer


def read(token: str, types: frozenset[str]) -> TokenHeader:
    """Read the header of a token that may be signed by RS256 alone."""
    return read_token(token, types, frozenset({"RS256"})).header


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
    rejected = await believer.rejection(believer.signer.sign(claims(), **part))
    assert rejected.code == HEADER
    assert rejected.claim == min(part), "of several the first in the alphabet"
    assert believer.keys.asked == 0


@pytest.mark.parametrize(
    "alg", ["none", "None", "NONE", "", "HS256", "RS384", "PS256", "ES256", "rs256", ..., None, 7]
)
async def test_S39_only_rs256_is_an_algorithm(believer: Believer, alg: object) -> None:
    assert (await believer.rejection(believer.signer.sign(claims(), alg=alg))).code == ALGORITHM


@pytest.mark.parametrize(
    "alg", ["none", "RS384", "rs256", "", ..., None, 7, True, [], ["RS256"], {}], ids=str
)
def test_S39_an_algorithm_that_nobody_asked_for_is_refused_with_the_header(alg: object) -> None:
    with pytest.raises(TokenRejected) as caught:
        read(Signer("k").sign(claims(), alg=alg), frozenset({"jwt"}))
    assert caught.value.code == ALGORITHM


@pytest.mark.parametrize("typ", ["at+jwt", "x", "application/at+jwt", 7, None, ["jwt"]], ids=str)
def test_S39_a_type_that_nobody_asked_for_is_refused_with_the_header(typ: object) -> None:
    with pytest.raises(TokenRejected) as caught:
        read(Signer("k").sign(claims(), typ=typ), frozenset({"jwt"}))
    assert (caught.value.code, caught.value.claim) == (HEADER, "typ")


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


@settings(max_examples=150)
@given(
    st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){1,5}", fullmatch=True)
)
def test_S39_no_text_is_a_token(text: str) -> None:
    with pytest.raises(TokenRejected):
        read(text, frozenset({"jwt"}))


@pytest.mark.parametrize("typ", [..., "", "JWT", "jwt", "application/jwt", "at+jwt", "application/at+JWT"])
def test_S39_the_type_is_one_of_those_wanted_or_left_out(typ: object) -> None:
    token = Signer("k").sign(claims(), typ=typ)

    header = read(token, frozenset({"jwt", "at+jwt"}))
    assert header.kid == "k"
    assert header.typ == ("" if typ is ... else str(typ).lower().removeprefix("application/"))


@pytest.mark.parametrize("kid", ["k", "k" * 256])
def test_S39_a_kid_has_up_to_256_characters(kid: str) -> None:
    assert read(Signer(kid).sign(claims()), frozenset({"jwt"})).kid == kid


def test_S39_a_token_need_not_name_its_key() -> None:
    assert read(Signer("k").sign(claims(), kid=...), frozenset({"jwt"})).kid is None


def test_S39_the_longest_token_is_sixteen_kilobytes() -> None:
    head = Signer("k").sign(claims()).partition(".")[0]

    def token(length: int) -> str:
        room = length - len(f"{head}..")
        # No base64 is one character longer than whole groups of four.
        signature = next(size for size in (4, 6, 7) if (room - size) % 4 != 1)
        return f"{head}.{'A' * (room - signature)}.{'A' * signature}"

    assert read(token(16_384), frozenset({"jwt"})).kid == "k"
    with pytest.raises(TokenRejected) as caught:
        read(token(16_385), frozenset({"jwt"}))
    assert caught.value.code == MALFORMED


@pytest.mark.parametrize("part", ["AAAX", "AA", "AAA", "-_-_"])
def test_S39_a_part_may_be_any_base64url(part: str) -> None:
    head = Signer("k").sign(claims()).partition(".")[0]

    assert read(f"{head}.{part}.{part}", frozenset({"jwt"})).kid == "k"


@pytest.mark.parametrize("part", ["A", "AB", "AAB", "AAAA=", "AA==", "+/+/", "AA A", "AAAA\n", "AAÄA", ""])
def test_S39_a_part_has_one_spelling(part: str) -> None:
    head = Signer("k").sign(claims()).partition(".")[0]

    for token in (f"{head}.{part}.AAAA", f"{head}.AAAA.{part}"):
        with pytest.raises(TokenRejected) as caught:
            read(token, frozenset({"jwt"}))
        assert caught.value.code == MALFORMED


def test_a_rejection_says_its_code_and_the_claim_at_fault() -> None:
    assert str(TokenRejected("signature")) == "signature"
    assert str(TokenRejected("expired", "exp")) == "expired: exp"


def test_a_rejection_says_that_newer_keys_could_prove_the_token_only_where_somebody_knows_it() -> None:
    assert not TokenRejected("unknown-key").keys_may_be_old
    assert TokenRejected("unknown-key", keys_may_be_old=True).keys_may_be_old


def test_codes_are_words_that_programs_may_rely_on() -> None:
    codes = {
        name: value for name, value in vars(jwt_form).items() if name.isupper() and isinstance(value, str)
    }

    assert {name.lower().replace("_", "-") for name in codes} == set(codes.values())
