"""What the authority answers: its metadata, its keys, its tokens."""

from typing import Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from servicekit.discovery import _read as read_metadata
from servicekit.errors import AuthorityUnavailable
from servicekit.jwt_signatures import ALGORITHMS, read_key
from servicekit.refusals import refusal_of
from servicekit.signing_keys import _entries as entries_of
from servicekit.token_answer import LONGEST_LIFE, read_token_answer
from tests.fuzz.target import Target
from tests.unit.servicekit.authority import Signer

_KEY: Final = Signer("one")


def _check_metadata(data: bytes) -> None:
    try:
        found = read_metadata(data)
    except AuthorityUnavailable as refused:
        assert len(str(refused)) < 200
        return
    for url in (found.issuer, found.jwks_uri, found.authorization_endpoint, found.token_endpoint):
        assert urlsplit(url).scheme in {"http", "https"}
        assert urlsplit(url).hostname
        assert url.isascii()
        assert url.isprintable()
    assert all(isinstance(name, str) for name in found.signing_algorithms | (found.scopes or frozenset()))


def _check_keys(data: bytes) -> None:
    try:
        entries = entries_of(data)
    except AuthorityUnavailable:
        return
    assert len(entries) <= 1_000
    for key in filter(None, map(read_key, entries)):
        assert key.algorithms <= ALGORITHMS
        assert not any(name.startswith("HS") for name in key.algorithms)
        assert not hasattr(key.public, "private_numbers")
        if isinstance(key.public, RSAPublicKey):
            assert key.public.key_size >= 2_048


def _check_tokens(data: bytes) -> None:
    kind, _, body = data.partition(b"\n")
    try:
        answer = read_token_answer(body, kind.decode(errors="replace"))
    except ValueError:
        return
    assert None not in answer.values()
    if isinstance(answer.get("expires_in"), int | float) and not isinstance(answer["expires_in"], bool):
        assert 0 < answer["expires_in"] <= LONGEST_LIFE
    refusal_of(answer)


_JSON: Final = (
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b'"',
        b"null",
        b"true",
        b"NaN",
        b"1e999",
        b"-1",
        b"0",
        b"\xff",
        b"\\ud800",
        b"[[[[",
    ),
    *(
        b'"https://login.example.com/x"',
        b'"http://["',
        b'"javascript:1"',
        b'"//x"',
        b'"\\u0000"',
        b"9" * 400,
        b"9" * 5_000,
    ),
)

TARGETS: Final = (
    Target(
        "metadata",
        "metadata is refused in a few words, or names addresses that can be asked",
        _check_metadata,
        (
            *_JSON,
            *(
                f'"{name}":'.encode()
                for name in ("issuer", "jwks_uri", "authorization_endpoint", "token_endpoint")
            ),
            *(f'"{name}":'.encode() for name in ("end_session_endpoint", "scopes_supported")),
        ),
    ),
    Target(
        "key-set",
        "of a key set only public keys of a decent size are used, for signatures",
        _check_keys,
        (
            *_JSON,
            *(
                f'"{name}"'.encode()
                for name in ("keys", "kty", "RSA", "EC", "oct", "OKP", "crv", "P-256", "Ed25519", "n")
            ),
            *(
                f'"{name}"'.encode()
                for name in ("e", "AQAB", "x", "y", "k", "d", "use", "sig", "enc", "key_ops", "alg", "kid")
            ),
        ),
        made=[b'{"keys":[%s]}' % str(_KEY.jwk()).replace("'", '"').encode()],
    ),
    Target(
        "token-answer",
        "a token answer is refused, or has no empty member and a life in seconds",
        _check_tokens,
        (
            *_JSON,
            *(
                b"\n",
                b"application/json",
                b"text/plain",
                b"application/x-www-form-urlencoded; x",
                b"access_token",
                b"&",
                b"=",
            ),
            *(
                b'"expires_in":',
                b'"3600"',
                b'"error":"invalid_grant"',
                b'"suberror":',
                b'"claims":',
                b"\xef\xbb\xbf",
                b"error=x",
            ),
        ),
    ),
)
