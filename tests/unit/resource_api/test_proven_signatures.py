"""Signatures that were proven before: remembered, and never more believed than by the mathematics (S39, S42)."""

import functools
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resource_api.proven_signatures import ProvenSignatures
from servicekit.jwt_form import SignedToken, TokenRejected, read_token
from servicekit.jwt_signatures import ALGORITHMS, VerificationKey, is_proven, read_key
from servicekit.jwt_verifier import JwtVerifier
from tests.stage import other_keys
from tests.stage.other_keys import OtherKey
from tests.unit.servicekit.authority import NOW, RULES, Signer, claims, running_authority
from tests.unit.servicekit.believer import KnownKeys

TYPES = frozenset({"jwt"})


class Mathematics:
    """Proves as ever, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def prove(self, token: SignedToken, key: VerificationKey) -> bool:
        self.asked += 1
        return is_proven(token, key)


@functools.cache
def key_of(algorithm: str, which: int) -> VerificationKey:
    key = read_key(OtherKey("k", algorithm, which).jwk())
    assert key
    return key


@functools.cache
def token_of(algorithm: str, which: int, person: int) -> SignedToken:
    return read_token(OtherKey("k", algorithm, which).token({"sub": f"{person}"}), TYPES, ALGORITHMS)


@functools.cache
def tokens_of(algorithm: str) -> list[SignedToken]:
    """Return good tokens of two keys for two people, and whatever can be made of the parts of two of them."""
    good = [token_of(algorithm, which, person) for which in (0, 1) for person in (0, 1)]
    one, other = good[:2]
    forged = [
        SignedToken(head.header, body.signed, body.payload, sign.signature)
        for head in (one, good[2])
        for body in (one, other)
        for sign in (one, other, good[2])
    ]
    cut = [
        SignedToken(one.header, one.signed, one.payload, signature)
        for signature in (b"", one.signature[:-1], one.signature + b"\0", bytes(len(one.signature)))
    ]
    moved = SignedToken(one.header, one.signed + b"." + one.signature[:1], one.payload, one.signature[1:])
    return [*good, *forged, *cut, moved]


@pytest.mark.parametrize("algorithm", other_keys.ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), most=st.integers(1, 5))
def test_S39_what_is_believed_is_what_the_mathematics_says_whatever_was_asked_before(
    algorithm: str, data: st.DataObject, most: int
) -> None:
    memory, tokens = ProvenSignatures(most=most), tokens_of(algorithm)
    asked = st.tuples(
        st.sampled_from(tokens), st.sampled_from([key_of(algorithm, which) for which in (0, 1)])
    )
    for token, key in data.draw(st.lists(asked, max_size=30)):
        assert memory.prove(token, key) == is_proven(token, key)


def test_a_token_that_was_proven_costs_no_mathematics_and_others_do() -> None:
    mathematics = Mathematics()
    memory = ProvenSignatures(prove=mathematics.prove)
    ada, ben = (token_of("RS256", 0, person) for person in (0, 1))
    key = key_of("RS256", 0)

    assert [memory.prove(token, key) for token in (ada, ada, ben, ada, ben)] == [True] * 5
    assert mathematics.asked == 2


def test_S39_a_refusal_is_not_remembered_and_makes_nothing_forgotten() -> None:
    mathematics = Mathematics()
    memory = ProvenSignatures(most=2, prove=mathematics.prove)
    good, of_another = token_of("RS256", 0, 0), token_of("RS256", 1, 0)
    key = key_of("RS256", 0)
    assert memory.prove(good, key)

    assert not any(memory.prove(of_another, key) for _ in range(100))
    assert mathematics.asked == 101
    assert memory.prove(good, key)
    assert mathematics.asked == 101


def test_what_was_proven_longest_ago_is_forgotten_first() -> None:
    mathematics = Mathematics()
    memory = ProvenSignatures(most=2, prove=mathematics.prove)
    tokens, key = [token_of("ES256", 0, person) for person in range(3)], key_of("ES256", 0)
    for token in tokens:
        memory.prove(token, key)

    memory.prove(tokens[2], key)
    memory.prove(tokens[1], key)
    assert mathematics.asked == 3
    memory.prove(tokens[0], key)
    assert mathematics.asked == 4


def test_five_thousand_are_remembered() -> None:
    asked: list[bytes] = []

    def prove(token: SignedToken, _key: VerificationKey) -> bool:
        asked.append(token.signature)
        return True

    memory, one = ProvenSignatures(prove=prove), token_of("RS256", 0, 0)
    tokens = [SignedToken(one.header, one.signed, one.payload, b"%d" % number) for number in range(5_001)]
    for token in [*tokens[:-1], *tokens[:-1], tokens[-1], *tokens[:2]]:
        assert memory.prove(token, key_of("RS256", 0))

    assert asked == [token.signature for token in [*tokens, *tokens[:2]]]


def test_S42_of_a_key_that_was_read_anew_nothing_is_remembered() -> None:
    mathematics = Mathematics()
    memory = ProvenSignatures(prove=mathematics.prove)
    token, keys = token_of("RS256", 0, 0), [read_key(OtherKey("k", "RS256").jwk()) for _ in range(2)]
    for key in keys:
        assert key
        assert all(memory.prove(token, key) for _ in range(2))

    assert mathematics.asked == 2


def test_S36_no_token_is_held() -> None:
    memory = ProvenSignatures()
    token = token_of("RS256", 0, 0)
    memory.prove(token, key_of("RS256", 0))

    (held,) = memory._keys
    assert held == hashlib.sha256(token.signed + b"." + token.signature).digest()


async def test_S39_a_token_that_was_believed_is_judged_by_its_claims_each_time() -> None:
    signer, now = Signer("one"), [float(NOW)]
    verifier = JwtVerifier(KnownKeys([signer]), now=lambda: now[0], prove=ProvenSignatures().prove)
    token = signer.sign(claims(exp=NOW + 600))
    for _ in range(2):
        await verifier.verify(token, RULES)

    now[0] += 3600
    with pytest.raises(TokenRejected, match="expired"):
        await verifier.verify(token, RULES)


async def test_S42_a_token_of_a_key_that_the_authority_has_withdrawn_is_believed_no_more() -> None:
    async with running_authority() as authority:
        old, new = authority.signers[0], Signer("two")
        verifier = JwtVerifier(authority.keys, now=authority.wall, prove=ProvenSignatures().prove)
        token = old.sign(claims())
        for _ in range(2):
            await verifier.verify(token, RULES)

        authority.signers[:] = [new]
        authority.ticks.now += 7 * 86_400
        await verifier.verify(new.sign(claims()), RULES)
        with pytest.raises(TokenRejected, match="unknown-key"):
            await verifier.verify(token, RULES)
