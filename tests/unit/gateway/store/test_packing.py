"""Records made small before they are sealed (R23): whole again, bounded, and within the budget of a session."""

import base64
import hashlib
import json
import random
import secrets
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from benchmarks.bench_session_memory import fill, person, records_of
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import SessionStore
from gateway.store.packing_dictionary import DICTIONARY
from gateway.store.redis.connection import redis_client
from gateway.store.sealing import LARGEST, VERSION, KeyRing, NotPacked, pack, unpack
from gateway.store.vault import Vault
from tests.stage.world import PATIENT

# What Redis 7 needs is about an eighth more than what Valkey 9 does: benchmarks/README.md.
BUDGET = 4_500
IDLE = 3_600


@pytest.mark.parametrize("dictionary", [DICTIONARY, b""], ids=["today's", "the next release's"])
@given(plain=st.binary(max_size=3_000))
def test_R23_whatever_is_packed_comes_out_again(plain: bytes, dictionary: bytes) -> None:
    assert unpack(pack(plain, dictionary=dictionary)) == plain


@pytest.mark.parametrize("dictionary", [DICTIONARY, b""], ids=["today's", "the next release's"])
@pytest.mark.parametrize("length", [0, 1, 2_499, 2_500, 2_501, 4_096, 40_000])
def test_R23_small_and_large_are_packed_as_tightly_by_windows_of_their_own(
    length: int, dictionary: bytes
) -> None:
    # Its beginning repeats the dictionary's, and its end its own beginning: as far apart as there is.
    chance = random.Random(length).randbytes(max(length - 600, 0))  # noqa: S311 - nothing is secret about it
    plain = (DICTIONARY[:300] + chance + DICTIONARY[:300])[:length]
    packing = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=dictionary)
    by_a_large_one = packing.compress(plain) + packing.flush()

    packed = pack(plain, dictionary=dictionary)

    assert unpack(packed) == plain
    assert len(packed) <= 1 + len(by_a_large_one)


@pytest.mark.parametrize("dictionary", [DICTIONARY, b""], ids=["today's", "the next release's"])
@given(
    pieces=st.lists(st.text("AZaz09-_", min_size=50, max_size=300) | st.text(max_size=30), max_size=6),
)
def test_R23_whatever_is_folded_comes_out_again(pieces: list[str], dictionary: bytes) -> None:
    plain = '."'.join(pieces).encode()

    assert unpack(pack(plain, dictionary=dictionary)) == plain


@pytest.mark.parametrize(
    "packed, plain",
    [
        (b"\x02\xabV*I\xad(Q\xb2R*.)\xca\xccKW\xaa\x05\x00", b'{"text":"string"}'),
        (b"\x03c``\xca\xc8\x04\x00", b"hi"),
    ],
)
def test_R27_what_the_next_release_writes_is_opened_here(packed: bytes, plain: bytes) -> None:
    assert unpack(packed) == plain


# What base64url letters make of chance: 86 characters, which compress no further.
LETTERS = base64.urlsafe_b64encode(hashlib.sha512(b"chance").digest()).rstrip(b"=")


@pytest.mark.parametrize(
    "dictionary, as_it_is, folded",
    [(DICTIONARY, b"\0", b"\1"), (b"", b"\2", b"\3")],
    ids=["today's", "the next release's"],
)
def test_R27_the_first_byte_says_how_a_record_was_packed(
    dictionary: bytes, as_it_is: bytes, folded: bytes
) -> None:
    assert pack(LETTERS[:63], dictionary=dictionary)[:1] == as_it_is
    assert pack(LETTERS[:64], dictionary=dictionary)[:1] == folded
    assert pack(b"A" * 64, dictionary=dictionary)[:1] == as_it_is, "that is shorter as it is written"


def test_R27_what_is_folded_are_text_and_bytes_by_turns_each_with_its_length() -> None:
    packed = pack(b"a." + LETTERS[:66] + b"." + LETTERS[:64], dictionary=b"")

    decoded = base64.urlsafe_b64decode(LETTERS[:64])
    pieces = (b"a.", decoded, LETTERS[64:66] + b".", decoded, b"")
    assert packed[:1] == b"\3"
    assert zlib.decompress(packed[1:], -15) == b"".join(
        len(piece).to_bytes(3, "big") + piece for piece in pieces
    )


@pytest.mark.parametrize("way", [b"\0", b"\1", b"\2", b"\3"])
def test_R27_a_record_with_more_or_less_than_itself_is_refused(way: bytes) -> None:
    dictionary = DICTIONARY if way in {b"\0", b"\1"} else b""
    packed = pack(LETTERS if way in {b"\1", b"\3"} else b"something", dictionary=dictionary)
    assert packed[:1] == way
    assert unpack(packed)

    for odd in (packed + b"\0", packed[:-1], packed[:1], b"", b"\4" + packed[1:], packed[1:]):
        with pytest.raises(NotPacked):
            unpack(odd)


def test_R27_what_needs_the_dictionary_does_not_open_without_it() -> None:
    packed = pack(b'{"version":1,"tid":"","oid":""')

    with pytest.raises(NotPacked):
        unpack(b"\2" + packed[1:])


def test_R23_a_token_takes_no_more_than_the_bytes_that_it_stands_for() -> None:
    claims = json.dumps({f"claim-{number}": "a value that says little" for number in range(40)})
    signature = secrets.token_bytes(256)
    token = b".".join(base64.urlsafe_b64encode(part) for part in (claims.encode(), signature))

    assert len(pack(token)) < len(signature) + len(claims) / 2


@given(st.binary(max_size=300))
def test_R27_what_nobody_packed_is_refused_or_opened_and_never_a_fault(foreign: bytes) -> None:
    for packed in (
        foreign,
        *(way + foreign for way in (b"\0", b"\1", b"\2", b"\3")),
        pack(b"x" * 99)[:-1],
        pack(b"x") + b"x",
    ):
        try:
            assert isinstance(unpack(packed), bytes)
        except NotPacked:
            continue


@pytest.mark.parametrize("plain", [b"x" * (LARGEST + 1), b"{" * (LARGEST + 1)], ids=["folded", "as it is"])
def test_R23_more_than_the_largest_record_is_refused(plain: bytes) -> None:
    assert unpack(pack(plain[:-1])) == plain[:-1]
    with pytest.raises(NotPacked):
        unpack(pack(plain))


def test_R27_the_dictionary_changes_only_with_the_version() -> None:
    assert (VERSION, hashlib.sha256(DICTIONARY).hexdigest()[:16]) == (1, "1172e050733cdcab"), (
        "records that lie in Redis were packed with it: give sealing.VERSION the next number"
    )


async def test_R23_a_session_stays_within_its_budget(valkey: str) -> None:
    redis = redis_client(valkey, limits=PATIENT)
    sessions = SessionStore(
        Vault(redis, KeyRing([secrets.token_bytes(32)]), now=time.time),
        now=time.time,
        idle=IDLE,
        absolute=IDLE,
    )
    await fill(sessions, 20)
    await redis.aclose()

    async with Redis.from_url(valkey) as plain:
        used = [await plain.memory_usage(key) or 0 async for key in plain.scan_iter()]
    assert len(used) == 20 * 4
    assert sum(used) / 20 < BUDGET


async def test_R23_two_hundred_groups_and_fifty_scopes_still_work(valkey: str) -> None:
    redis = redis_client(valkey, limits=PATIENT)
    sessions = SessionStore(
        Vault(redis, KeyRing([secrets.token_bytes(32)]), now=time.time),
        now=time.time,
        idle=IDLE,
        absolute=IDLE,
    )
    ordinary = person()
    groups = [secrets.token_hex(16) for _ in range(200)]
    scopes = " ".join(f"https://api.example/Everything.Of.{number}" for number in range(50))
    member = ordinary.model_copy(update={"claims": {**ordinary.claims, "groups": groups, "scp": scopes}})
    cookies = []
    for user in (ordinary, member):
        cookie = SessionCookie.new()
        assert await sessions.start(user, records_of(ordinary), cookie=cookie)
        loaded = await sessions.load(cookie)
        assert loaded
        assert loaded.user == user
        cookies.append(cookie.text)
    await redis.aclose()

    assert len({len(text) for text in cookies}) == 1, "the cookie is as long as ever"
