"""What a verifier of tokens is told, and what it refuses before it asks for a key."""

import contextlib
from dataclasses import replace

import pytest

from servicekit.clock_watch import ClockWatch
from servicekit.jwt_form import HEADER, MALFORMED
from servicekit.jwt_verifier import TOKENS, JwtVerifier, TokenRejected
from servicekit.log_strangers import FIELDS
from tests.unit.servicekit.authority import NOW, RULES, Authority, claims
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
