"""Token answers that are JSON and still make no sense: an outage like any other, which signs nobody out (R15)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.tokens.refresh_meaning import LONGEST_PAUSE
from tests.stage.plain_world import PlainWorld, plain_world, problem_of
from tests.stage.witnesses import records

ODD: dict[str, dict[str, Any]] = {
    "a lifetime in words": {"expires_in": "soon"},
    "a lifetime that is a list": {"expires_in": [3600]},
    "a scope that is a number": {"scope": 7},
    "client_info that is no JSON": {"client_info": "!!"},
    "an ID token without parts": {"id_token": "garbage"},
    "an ID token of nothing": {"id_token": "a.b.c"},
    "an ID token that is a number": {"id_token": 7},
    "an empty ID token": {"id_token": ""},
}


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway in front of the plain provider."""
    async with plain_world(valkey) as world:
        yield world


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_R15_at_a_refresh_it_is_an_outage_that_is_remembered(
    world: PlainWorld, odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    world.provider.answer = {"expires_in": 20}
    assert await world.sign_in() == "/edit"
    world.clock.now += 20
    world.provider.answer = odd

    for _ in range(3):
        refused = await world.person.call("GET", "/api/profile")
        assert (refused.status, refused.slug) == (503, "authority-unavailable")
    assert world.provider.requests["refresh_token"] == 1
    assert await world.is_signed_in()
    assert "garbage" not in caplog.text

    world.provider.answer = {}
    world.clock.now += LONGEST_PAUSE
    assert (await world.person.call("GET", "/api/profile")).status == 200


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_R15_at_a_sign_in_it_leaves_nothing(world: PlainWorld, odd: dict[str, Any]) -> None:
    world.provider.answer = odd

    assert problem_of(await world.sign_in()) == "sign-in-failed"

    assert not await world.is_signed_in()
    assert records(await world.keys()) == []
