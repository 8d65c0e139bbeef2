"""S42: which keys of a key set count, what is no key set, and that a set is kept for a later life."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from servicekit.errors import AuthorityUnavailable
from servicekit.jwt_verifier import UNKNOWN_KEY, TokenRejected
from tests.unit.servicekit.authority import RULES, Authority, Signer, claims


def jwk(kid: str, bits: int) -> dict[str, str]:
    """Return an RSA key whose modulus has so many bits; nobody can sign with it."""
    modulus = (1 << (bits - 1)) | 1
    n = base64.urlsafe_b64encode(modulus.to_bytes((bits + 7) // 8, "big")).rstrip(b"=").decode()
    return {"kty": "RSA", "kid": kid, "n": n, "e": "AQAB"}


async def publish(authority: Authority, *keys: object) -> None:
    """Let the authority publish these keys."""
    await authority.discovery.metadata()
    authority.body = json.dumps({"keys": keys}).encode()


async def bits_of(authority: Authority, kid: str | None) -> int:
    """Return the size of an RSA key that counts."""
    public = (await authority.keys.key(kid)).public
    assert isinstance(public, RSAPublicKey)
    return public.key_size


async def assert_unknown(authority: Authority, kid: str | None) -> None:
    with pytest.raises(TokenRejected) as caught:
        await authority.keys.key(kid)
    assert caught.value.code == UNKNOWN_KEY


async def test_S42_keys_from_2048_to_8192_bits_count(authority: Authority) -> None:
    sizes = (2040, 2048, 8192, 8193)
    await publish(authority, *(jwk(f"{bits} bits", bits) for bits in sizes))

    for bits in (2048, 8192):
        assert await bits_of(authority, f"{bits} bits") == bits
    for bits in (2040, 8193):
        await assert_unknown(authority, f"{bits} bits")


async def test_S42_of_a_set_without_end_a_thousand_keys_count(authority: Authority) -> None:
    key = jwk("", 2048)
    await publish(authority, *({**key, "kid": str(number)} for number in range(1001)))

    assert await bits_of(authority, "999") == 2048
    await assert_unknown(authority, "1000")


async def test_S42_a_key_without_a_name_is_for_tokens_that_name_none(authority: Authority) -> None:
    key = jwk("", 2048)
    del key["kid"]
    await publish(authority, key)

    assert await bits_of(authority, None) == 2048
    await assert_unknown(authority, "X")


async def test_S42_of_two_keys_with_one_name_the_first_counts(authority: Authority) -> None:
    await publish(authority, jwk("one", 2048), jwk("one", 4096))

    assert await bits_of(authority, "one") == 2048


@pytest.mark.parametrize("missing", ["kty", "n", "e"])
async def test_S42_a_key_that_lacks_a_part_is_passed_over(authority: Authority, missing: str) -> None:
    broken = jwk("broken", 2048)
    del broken[missing]
    await publish(authority, broken, jwk("whole", 2048))

    assert await bits_of(authority, "whole") == 2048
    await assert_unknown(authority, "broken")


NO_LIST, NO_KEY = "key set: no list of keys", "the key set holds no usable key"


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "key set: "),
        (b"<html>", "key set: "),
        (b"[]", NO_LIST),
        (b"null", NO_LIST),
        (b"{}", NO_LIST),
        (b'{"keys":{}}', NO_LIST),
        (b'{"keys":7}', NO_LIST),
        (b'{"keys":[]}', NO_KEY),
        (b'{"keys":["one",null]}', NO_KEY),
    ],
)
async def test_S42_what_is_no_set_of_keys_is_the_authoritys_failure_and_the_log_says_which(
    authority: Authority, body: bytes, reason: str
) -> None:
    await authority.discovery.metadata()
    authority.body = body

    with pytest.raises(AuthorityUnavailable) as caught:
        await authority.keys.key("one")
    assert caught.value.reason.startswith(reason)


class Memory:
    """Keeps documents, as the store that both lives share does."""

    def __init__(self) -> None:
        self.documents: dict[str, bytes] = {}

    async def load(self, name: str) -> bytes | None:
        """Return one."""
        return self.documents.get(name)

    async def save(self, name: str, document: bytes) -> None:
        """Keep one."""
        self.documents[name] = document


async def test_R16_a_gateway_that_starts_without_the_authority_knows_the_keys_of_its_last_life(
    authority: Authority,
) -> None:
    memory = Memory()
    token = Signer("one", authority.signers[0].private).sign(claims())
    assert await authority.next_life(memory).verify(token, RULES)
    assert set(memory.documents) == {"authority metadata", "signing keys"}, "as the release before calls them"
    authority.status = 500

    assert await authority.next_life(memory).verify(token, RULES)
    with pytest.raises(AuthorityUnavailable):
        await authority.next_life(None).verify(token, RULES)
