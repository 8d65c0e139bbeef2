"""Which keys verify what, and that no other signature is one: S39, W7."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from servicekit.jwt_form import SignedToken, TokenHeader
from servicekit.jwt_signatures import ALGORITHMS, VerificationKey, is_proven, read_key
from tests.stage import other_keys
from tests.stage.other_keys import OtherKey
from tests.stage.plain_provider import base64url, compact

CLAIMS = {"sub": "ada"}
PAYLOAD = json.dumps(CLAIMS).encode()
every_algorithm = pytest.mark.parametrize("algorithm", other_keys.ALGORITHMS)


def signed_payload(token: str, key: VerificationKey, algorithm: str) -> bytes | None:
    """Return the payload of a token that `key` proves by `algorithm`, whatever its header says of that."""
    signed, _, signature = token.rpartition(".")
    payload, proof = (base64.urlsafe_b64decode(f"{part}==") for part in (signed.partition(".")[2], signature))
    form = SignedToken(TokenHeader(algorithm, None, ""), signed.encode(), payload, proof)
    return payload if is_proven(form, key) else None


def key_of(entry: dict[str, Any]) -> VerificationKey:
    key = read_key(entry)
    assert key
    return key


def test_W7_the_algorithms_are_these_and_none_is_symmetric() -> None:
    assert set(other_keys.ALGORITHMS) == ALGORITHMS


@every_algorithm
@pytest.mark.parametrize("said", [{}, {"alg": None}, {"use": None}, {"key_ops": ["verify"]}], ids=str)
def test_W7_a_key_verifies_what_it_signed(algorithm: str, said: dict[str, Any]) -> None:
    signer = OtherKey("k", algorithm)

    assert signed_payload(signer.token(CLAIMS), key_of(signer.jwk(**said)), algorithm) == PAYLOAD


@every_algorithm
def test_S39_another_key_of_its_kind_does_not(algorithm: str) -> None:
    signer, other = OtherKey("k", algorithm), OtherKey("k", algorithm, 1)

    assert signed_payload(signer.token(CLAIMS), key_of(other.jwk()), algorithm) is None


@every_algorithm
@pytest.mark.parametrize("claimed", other_keys.ALGORITHMS)
def test_S39_a_key_verifies_by_no_algorithm_but_the_one_of_its_entry(algorithm: str, claimed: str) -> None:
    signer = OtherKey("k", algorithm)
    token = signer.token(CLAIMS, alg=claimed)

    assert (signed_payload(token, key_of(signer.jwk()), claimed) is not None) is (claimed == algorithm)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "ES384", "EdDSA"])
@pytest.mark.parametrize("claimed", other_keys.ALGORITHMS)
def test_S39_a_key_of_one_family_verifies_by_no_other(algorithm: str, claimed: str) -> None:
    family = {name for name in ALGORITHMS if name[:2] in {"RS", "PS"}}
    own = family if algorithm == "RS256" else {algorithm, "Ed25519"} if algorithm == "EdDSA" else {algorithm}
    key = key_of(OtherKey("k", algorithm).jwk(alg=None))

    assert key.algorithms == own
    if claimed not in own:
        token = OtherKey("k", claimed).token(CLAIMS)
        assert signed_payload(token, key, claimed) is None


@pytest.mark.parametrize(
    "of, named", [("ES256", "RS256"), ("EdDSA", "RS256"), ("RS256", "ES256"), ("RS256", "EdDSA")]
)
def test_S39_a_key_that_was_put_under_another_family_proves_nothing_and_fails_nobody(
    of: str, named: str
) -> None:
    signer = OtherKey("k", of)
    key = VerificationKey("k", frozenset({named}), key_of(signer.jwk()).public)

    assert signed_payload(signer.token(CLAIMS), key, named) is None


def public_key_spellings(signer: OtherKey) -> list[bytes]:
    """Return the public key in every spelling that somebody once took for an HMAC secret."""
    public = signer.private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(signer.jwk()).encode()
    text = [value.encode() for name, value in signer.jwk().items() if name in {"n", "x", "y", "kid"}]
    return [pem, pem.strip(), der, base64url(der).encode(), jwk, *text, b""]


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("claimed", ["HS256", "HS384", "HS512", "none", "None", "NONE", "nOnE", ""])
def test_S39_a_public_key_is_no_secret_and_no_signature_is_no_signature(algorithm: str, claimed: str) -> None:
    signer = OtherKey("k", algorithm)
    for secret in public_key_spellings(signer):

        def by_hmac(data: bytes, secret: bytes = secret) -> bytes:
            return hmac.digest(secret, data, hashlib.sha256)

        for sign in (by_hmac, lambda _: b""):
            token = compact({"alg": claimed, "kid": "k"}, CLAIMS, sign)
            for judged_by in (claimed, algorithm):
                assert signed_payload(token, key_of(signer.jwk()), judged_by) is None


def signed_as(signer: OtherKey, change: Callable[[bytes], bytes]) -> str:
    """Return a token whose signature was changed."""
    return compact({"alg": signer.algorithm, "kid": "k"}, CLAIMS, lambda data: change(signer.signature(data)))


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512"])
def test_S39_an_ecdsa_signature_is_two_numbers_of_full_length_and_neither_is_zero(algorithm: str) -> None:
    signer = OtherKey("k", algorithm)
    private = signer.private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    size = (private.curve.key_size + 7) // 8

    def as_der(raw: bytes) -> bytes:
        return encode_dss_signature(int.from_bytes(raw[:size], "big"), int.from_bytes(raw[size:], "big"))

    zero = bytes(size)
    changes: list[Callable[[bytes], bytes]] = [
        as_der,
        lambda raw: zero + raw[size:],
        lambda raw: raw[:size] + zero,
        lambda _: zero + zero,
        lambda _: b"\xff" * 2 * size,
        lambda raw: raw[1:],
        lambda raw: raw + b"\0",
        lambda raw: b"\0" + raw,
        lambda raw: raw[:size],
        lambda raw: raw[size:] + raw[:size],
        lambda raw: zero[:1] + raw[:size] + zero[:1] + raw[size:],
        lambda _: b"",
    ]

    key = key_of(signer.jwk())
    assert [signed_payload(signed_as(signer, change), key, algorithm) for change in changes] == [None] * 12
    assert signed_payload(signed_as(signer, lambda raw: raw), key, algorithm) == PAYLOAD


def test_S39_an_eddsa_signature_has_one_length() -> None:
    signer = OtherKey("k", "EdDSA")
    key = key_of(signer.jwk())
    changes: list[Callable[[bytes], bytes]] = [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: raw[:32],
        lambda raw: raw[32:] + raw[:32],
        lambda raw: bytes(32) + raw[32:],
        lambda _: bytes(64),
        lambda _: b"",
    ]

    assert [signed_payload(signed_as(signer, change), key, "EdDSA") for change in changes] == [None] * 7
    assert signed_payload(signed_as(signer, lambda raw: raw), key, "EdDSA") == PAYLOAD


@every_algorithm
def test_S39_a_flipped_bit_is_noticed(algorithm: str) -> None:
    signer = OtherKey("k", algorithm)
    key = key_of(signer.jwk())

    for at in (0, -1):

        def flipped(raw: bytes, at: int = at) -> bytes:
            changed = bytearray(raw)
            changed[at] ^= 1
            return bytes(changed)

        assert signed_payload(signed_as(signer, flipped), key, algorithm) is None


ES, ED, RS = OtherKey("k", "ES256"), OtherKey("k", "EdDSA"), OtherKey("k", "RS256")
P384 = OtherKey("k", "ES384").jwk()
OF_NO_USE = {
    "for encryption": ES.jwk(use="enc"),
    "not to verify with": ES.jwk(key_ops=["sign"]),
    "to encrypt with": RS.jwk(key_ops=["encrypt", "wrapKey"]),
    "operations as text": ED.jwk(key_ops="verify"),
    "no operation": ED.jwk(key_ops=[]),
    "an algorithm of another family": ES.jwk(alg="RS256"),
    "an algorithm of another curve": ES.jwk(alg="ES384"),
    "an algorithm for encryption": RS.jwk(alg="RSA-OAEP"),
    "a symmetric algorithm": RS.jwk(alg="HS256"),
    "no algorithm at all": RS.jwk(alg="none"),
    "an algorithm that is a list": RS.jwk(alg=["RS256"]),
    "symmetric": {"kty": "oct", "k": "AAAA", "kid": "k", "alg": "HS256"},
    "a curve that nobody lists": OtherKey("k", "ES256K").jwk(),
    "another curve of Edwards": OtherKey("k", "Ed448").jwk(alg="EdDSA"),
    "a curve that is not the point's": ES.jwk(crv="P-384", alg="ES384"),
    "a point of another curve": {**P384, "crv": "P-256", "alg": "ES256"},
    "a point beside the curve": ES.jwk(y=ES.jwk()["x"]),
    "half a point": ES.jwk(y=None),
    "no point": ES.jwk(x="", y=""),
    "an Edwards key that is too short": ED.jwk(x=base64url(bytes(31))),
    "an Edwards key that is too long": ED.jwk(x=base64url(bytes(33))),
    "an Edwards key without its curve": ED.jwk(crv=None),
    "the curve of another type": ED.jwk(kty="EC"),
    "the type of another key": ES.jwk(kty="OKP"),
    "a type in small letters": ES.jwk(kty="ec"),
    "a type that is a list": ES.jwk(kty=["EC"]),
    "a curve that is a number": ES.jwk(crv=256),
    "a name that is a number": ES.jwk(kid=7),
    "a number for a member": RS.jwk(n=7),
    "a modulus that is nothing": RS.jwk(n=""),
    "a modulus that is no base64url": RS.jwk(n="A"),
    "a modulus of other letters": RS.jwk(n="é" * 4),
    "an exponent of one": RS.jwk(e="AQ"),
    "a curve of another type that is a number": RS.jwk(crv=256),
}


@pytest.mark.parametrize("what", OF_NO_USE)
def test_S39_a_key_that_does_not_fit_its_own_entry_is_of_no_use(what: str) -> None:
    assert read_key(OF_NO_USE[what]) is None


@pytest.mark.parametrize("entry", [None, 7, "RSA", [], {}, {"kty": None}, {"kty": ""}], ids=str)
def test_what_is_no_key_is_of_no_use(entry: object) -> None:
    assert read_key(entry) is None


@pytest.mark.parametrize("signer", [ES, ED, RS], ids=lambda signer: signer.algorithm)
def test_private_members_and_those_of_others_are_left_alone(signer: OtherKey) -> None:
    plain = key_of(signer.jwk())
    more = key_of(signer.jwk(d="AAAA", x5t="x", x5c=["!"], issuer="x", k="AAAA"))

    assert (more.kid, more.algorithms, more.public) == (plain.kid, plain.algorithms, plain.public)


def test_an_rsa_key_has_no_curve_whatever_its_entry_says() -> None:
    assert key_of(RS.jwk(crv="P-256")).algorithms == {"RS256"}


def test_a_key_without_a_name_has_an_empty_one() -> None:
    assert key_of(RS.jwk(kid=None)).kid == ""
