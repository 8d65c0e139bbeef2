"""Which sessions a logout token ends (S21): all of those that it names, none that is younger, and nobody else's."""

from collections.abc import AsyncIterator

import pytest

from servicekit.jwt_claims import LEEWAY_SECONDS
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.plain_provider import SID, Claims
from tests.stage.plain_world import PlainWorld, plain_world


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway with back-channel logout, and Ada signed in."""
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        assert await world.sign_in() == "/edit"
        yield world


async def test_S21_a_session_that_began_after_the_token_survives_it(world: PlainWorld) -> None:
    token = world.provider.logout_token()
    old = world.person.cookie()
    world.clock.now += LEEWAY_SECONDS + 1
    async with OtherFrontEnd.open(world.gateway_url, world.gateway_url) as again:
        world.person, first = again, world.person
        assert await world.sign_in() == "/edit"

        assert (await world.sign_out_here(token)).status == 200

        assert await world.is_signed_in()
        assert first.cookie() == old
        assert (await first.call("GET", "/api/profile")).body["reason"] == "signed-out"


async def test_S21_R21_a_clock_that_goes_ahead_of_the_providers_keeps_nobody_signed_in(
    world: PlainWorld,
) -> None:
    behind = int(world.clock()) - 50  # signed in and out within those seconds, by the provider's clock

    token = world.provider.logout_token(iat=behind, exp=behind + 120)

    assert (await world.sign_out_here(token)).status == 200
    assert not await world.is_signed_in()


async def test_S21_of_session_and_subject_each_alone_is_enough(world: PlainWorld) -> None:
    for alone in ({"sid": None}, {"sub": None}):
        if not await world.is_signed_in():
            world.clock.now += 1
            await world.sign_in()
        assert (await world.sign_out_here(world.provider.logout_token(**alone))).status == 200
        assert not await world.is_signed_in()


@pytest.mark.parametrize("named", [{"sid": "another"}, {"sid": None, "sub": "another"}, {"sub": "another"}])
async def test_S21_sessions_of_others_live_on(world: PlainWorld, named: Claims) -> None:
    assert (await world.sign_out_here(world.provider.logout_token(**named))).status == 200
    assert await world.is_signed_in()


async def test_S21_a_step_up_whose_id_token_names_no_session_forgets_none(world: PlainWorld) -> None:
    world.provider.shape = lambda claims: world.provider.signing.token(
        {name: value for name, value in claims.items() if name != "sid"}
    )
    assert await world.sent(await world.answered("/auth/step-up")) == "/"
    assert await world.is_signed_in()

    assert (await world.sign_out_here(world.provider.logout_token(sub=None))).status == 200

    assert not await world.is_signed_in()


async def test_S21_a_subject_alone_ends_every_session_of_the_person(world: PlainWorld) -> None:
    async with OtherFrontEnd.open(world.gateway_url, world.gateway_url) as second:
        first, world.person = world.person, second
        world.provider.shape = lambda claims: world.provider.signing.token({**claims, "sid": "session-2"})
        assert await world.sign_in() == "/edit"

        await world.sign_out_here(world.provider.logout_token(sid=None))

        for person in (first, second):
            assert (await person.call("GET", "/api/session")).body["authenticated"] is False
    assert not [key for key in await world.keys() if key.startswith("stepup:index:sub")]


async def test_S21_no_session_named_like_this_is_fine_too(world: PlainWorld) -> None:
    assert SID in world.provider.logout_claims()["sid"]
    await world.sign_out_here(world.provider.logout_token())

    assert (await world.sign_out_here(world.provider.logout_token())).status == 200
