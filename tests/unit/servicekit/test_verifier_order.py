"""What a verifier of tokens is told, and what it refuses before it asks for a key."""

import contextlib
import json
import sys
from collections import Counter
from dataclasses import replace
from types import FrameType

import pytest

from servicekit import jwt_form, strict_json
from servicekit.clock_watch import ClockWatch
from servicekit.jwt_form import HEADER, MALFORMED, read_token
from servicekit.jwt_signatures import ALGORITHMS
from servicekit.jwt_verifier import TOKENS, JwtVerifier, TokenRejected
from servicekit.log_strangers import FIELDS
from tests.unit.servicekit.authority import NOW, RULES, Authority, claims, encoded
from tests.unit.servicekit.believer import Believer


async def test_S39_a_token_may_be_as_long_as_a_verifier_is_told(believer: Believer) -> None:
    token = believer.signer.sign(claims())
    enough, too_few = (
        JwtVerifier(believer.keys, now=lambda: NOW, longest=len(token) - less) for less in (0, 1)
    )

    assert await enough.verify(token, RULES) == claims()
    with pytest.raises(TokenRejected) as caught:
        await too_few.verify(token, RULES)
    assert caught.value.code == MALFORMED


async def test_S39_where_a_type_is_needed_a_token_without_one_costs_no_key(believer: Believer) -> None:
    strict = replace(RULES, typed=True)

    with pytest.raises(TokenRejected) as caught:
        await believer.verifier.verify(believer.signer.sign(claims(), typ=...), strict)

    assert (caught.value.code, caught.value.claim) == (HEADER, "typ")
    assert believer.keys.asked == 0
    assert await believer.verifier.verify(believer.signer.sign(claims(), typ="JWT"), strict)


async def test_S42_a_verifier_says_whether_its_keys_are_fresh(authority: Authority) -> None:
    assert await authority.verifier.check_keys() is True
    assert await authority.verifier.check_keys() is True, "fetched anew for a first doubt"
    assert await authority.verifier.check_keys() is False, "no more of it for five minutes"


async def test_S39_a_token_is_decoded_once_and_its_claims_are_parsed_once(believer: Believer) -> None:
    first, second = (believer.signer.sign(claims(sub=sub)) for sub in ("ada", "grace"))
    await believer.verifier.verify(first, RULES)
    entered: Counter[str] = Counter()

    def entering(frame: FrameType, event: str, _what: object) -> None:
        if event == "call" and frame.f_code.co_filename in {jwt_form.__file__, strict_json.__file__}:
            entered[frame.f_code.co_name] += 1

    sys.setprofile(entering)
    try:
        believed = await believer.verifier.verify(second, RULES)
    finally:
        sys.setprofile(None)

    assert believed["sub"] == "grace"
    assert entered["_decode"] == 2, "payload and signature: the header is as before"
    assert entered["_members"] == 1, "the claims, one object"


@pytest.mark.parametrize(
    "changed, differences",
    [
        ({"iat": NOW + 500}, [-500]),
        ({"nbf": NOW + 400}, [-400]),
        ({"exp": NOW - 500}, []),
        ({"iat": "soon"}, []),
        ({}, []),
    ],
    ids=["issued-later", "not-yet-valid", "expired", "no-time", "good"],
)
async def test_L3_a_token_of_the_future_shows_that_clocks_differ_to_whoever_watches_them(
    believer: Believer, changed: dict[str, object], differences: list[int]
) -> None:
    seen: list[int] = []
    clocks = ClockWatch(TOKENS, now=lambda: NOW, on_difference=seen.append)
    verifier = JwtVerifier(believer.keys, now=lambda: NOW, clocks=clocks)

    with pytest.raises(TokenRejected) if changed else contextlib.nullcontext():
        await verifier.verify(believer.signer.sign(claims(**changed)), RULES)

    assert seen == differences


@pytest.mark.parametrize(
    "dated, ahead",
    [({"iat": NOW - 30}, 30), ({"iat": NOW + 5}, -5), ({"nbf": NOW - 9}, 0), ({"iat": "soon"}, 0)],
)
def test_L3_what_came_just_now_tells_how_far_our_clock_is_ahead(
    believer: Believer, dated: dict[str, object], ahead: int
) -> None:
    assert JwtVerifier(believer.keys, now=lambda: NOW).compare_clocks(dated) == ahead


def test_L3_the_log_says_whose_clock_differs(believer: Believer, caplog: pytest.LogCaptureFixture) -> None:
    JwtVerifier(believer.keys, now=lambda: NOW).compare_clocks({"iat": NOW + 500})

    (line,) = (vars(record)[FIELDS] for record in caplog.records if record.getMessage() == "clocks-differ")
    assert line["whose"] == "the authority's tokens"


def test_S39_what_headers_say_is_remembered_of_256_short_ones_at_most() -> None:
    def token(length: int, number: int = 0) -> str:
        head = {"alg": "RS256", "typ": "JWT", "kid": str(number), "x": ""}
        head["x"] = "x" * (length - len(json.dumps(head, separators=(",", ":"))))
        return f"{encoded(head)}.AAAA.AAAA"

    def kid_of(text: str) -> str | None:
        return read_token(text, frozenset({"jwt"}), ALGORITHMS).header.kid

    jwt_form._header.cache_clear()
    assert len(token(384).partition(".")[0]) == 512
    for length, kept in ((385, 0), (384, 1)):
        kid_of(token(length))
        assert jwt_form._header.cache_info().currsize == kept, length

    for number in range(300):
        assert kid_of(token(100, number)) == str(number)
    assert jwt_form._header.cache_info().currsize == 256
    with pytest.raises(TokenRejected):
        read_token(
            token(100, 299), frozenset({"at+jwt"}), ALGORITHMS
        )  # each is read for the types that are asked for
