"""Where a token may stand, and what a route asks of it."""

import json
from typing import Any, Final

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from resource_api import errors
from resource_api.access import ScopePolicy, bearer_token

NOW: Final = 1_000_000.0
SCOPE: Final = "EditProfileService.ReadWrite"
SCOPES: Final = frozenset({SCOPE})


def token_of(*headers: str, longest: int = 8, path: str = "/profile") -> str:
    """Return the token of a request with these Authorization headers."""
    fields = CIMultiDict([("Authorization", header) for header in headers])
    return bearer_token(make_mocked_request("PATCH", path, headers=fields), longest=longest)


@pytest.mark.parametrize(
    "header, token",
    [
        ("Bearer abc", "abc"),
        ("bEARER abc", "abc"),
        ("Bearer   abc  ", "abc"),
        ("Bearer a-._~+/b", "a-._~+/b"),
        ("Bearer abc==", "abc=="),
        ("Bearer 12345678", "12345678"),
    ],
)
def test_S43_a_token_stands_behind_its_scheme(header: str, token: str) -> None:
    assert token_of(header) == token


@pytest.mark.parametrize(
    "headers, sent, reason",
    [
        ((), False, "no Authorization header"),
        (("Basic abc",), False, "another scheme than Bearer"),
        (("abc",), False, "another scheme than Bearer"),
        (("Bearer",), True, "not a token"),
        (("Bearer ",), True, "not a token"),
        (("Bearer 123456789",), True, "not a token"),
        (("Bearer a b",), True, "not a token"),
        (("Bearer a,b",), True, "not a token"),
        (("Bearer =",), True, "not a token"),
        (("Bearer a=b",), True, "not a token"),
        (("Bearer \tabc",), True, "not a token"),
        (("Bearer abc\xa0",), True, "not a token"),
    ],
)
def test_S43_anything_else_is_no_token(headers: tuple[str, ...], *, sent: bool, reason: str) -> None:
    with pytest.raises(errors.InvalidToken) as refused:
        token_of(*headers)

    assert refused.value.log_detail == reason
    assert ("invalid_token" in refused.value.headers["WWW-Authenticate"]) is sent


@pytest.mark.parametrize(
    "headers, path",
    [
        (("Bearer abc", "Bearer abc"), "/profile"),
        (("Bearer abc", "Basic x"), "/profile"),
        (("Bearer abc",), "/profile?access_token=abc"),
    ],
)
def test_S43_a_token_comes_once_and_one_way(headers: tuple[str, ...], path: str) -> None:
    with pytest.raises(errors.MisplacedToken):
        token_of(*headers, path=path)


def test_S43_a_token_in_the_query_alone_is_none() -> None:
    with pytest.raises(errors.InvalidToken):
        token_of(path="/profile?access_token=abc")


def test_S27_the_scope_must_be_there() -> None:
    ScopePolicy(SCOPE).check(SCOPES, {}, NOW)
    with pytest.raises(errors.InsufficientScope):
        ScopePolicy(SCOPE).check(frozenset({f"{SCOPE}.All"}), {}, NOW)


@pytest.mark.parametrize("acrs", [["c1"], ["c0", "c1"], "c1", "c0 c1", ["c1", 7]])
def test_S27_a_context_that_was_proven_is_enough(acrs: object) -> None:
    ScopePolicy(SCOPE, acrs="c1").check(SCOPES, {"acrs": acrs}, NOW)


@pytest.mark.parametrize("acrs", [None, [], "", "c10", ["c0"], {"c1": 1}, 1, ["c1 c2"]])
def test_S27_a_context_that_was_not_is_demanded(acrs: object) -> None:
    with pytest.raises(errors.InsufficientClaims) as refused:
        ScopePolicy(SCOPE, acrs="c1").check(SCOPES, {"acrs": acrs}, NOW)

    demanded = refused.value.challenge.claims
    assert demanded == '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}', "as Entra writes it"
    assert json.loads(demanded)
    assert refused.value.log_detail == "no such acrs"


FRESH: Final = ScopePolicy(SCOPE, acrs=None, max_age_seconds=300, leeway_seconds=10)


@pytest.mark.parametrize("signed_in_at", [NOW, NOW - 300, NOW - 310, NOW + 10])
def test_S27_who_signed_in_within_the_greatest_age_goes_on(signed_in_at: float) -> None:
    FRESH.check(SCOPES, {"auth_time": signed_in_at}, NOW)


@pytest.mark.parametrize("signed_in_at", [NOW - 311, NOW + 11, None, "yesterday", 0, 1, True])
def test_S27_who_did_not_is_told_the_greatest_age(signed_in_at: object) -> None:
    with pytest.raises(errors.InsufficientUserAuthentication) as refused:
        FRESH.check(SCOPES, {"auth_time": signed_in_at}, NOW)

    assert refused.value.members == {"max_age": 300, "acr_values": None}


@pytest.mark.parametrize("claims", [{}, {"auth_time": None}, {"auth_time": "yesterday"}])
def test_S27_what_tells_no_time_is_older_than_any_age(claims: dict[str, Any]) -> None:
    # At the first second of all times, when any other time of the past would be young enough.
    policy = ScopePolicy(SCOPE, max_age_seconds=60, leeway_seconds=0)
    with pytest.raises(errors.InsufficientUserAuthentication):
        policy.check(SCOPES, claims, 60.5)
