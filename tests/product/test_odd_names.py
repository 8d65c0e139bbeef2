"""What a provider calls people and sessions, from the token to the answer (A8, S40, S41)."""

from collections.abc import AsyncIterator

import pytest

from tests.stage.plain_world import PlainWorld, plain_world, problem_of

NO_NAMES = [
    "",
    " ",
    "\u0000",
    "ada\u0000",
    "\u202eada",
    "\u200b",
    "x" * 256,
    "x" * 8_000,
    7,
    ["ada"],
    "a\ud800",
]


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1", LONGEST_TOKEN="20000") as world:
        yield world


def say(world: PlainWorld, **claims: object) -> None:
    """Let the provider's ID tokens say so."""
    provider = world.provider
    provider.shape = lambda others: provider.signing.token({**others, **claims})


@pytest.mark.parametrize("value", NO_NAMES, ids=lambda value: ascii(value)[:12])
async def test_A8_S40_nobody_is_signed_in_under_a_name_that_is_none(world: PlainWorld, value: object) -> None:
    say(world, sub=value)

    assert problem_of(await world.sign_in()) == "sign-in-failed"
    assert not await world.is_signed_in()


async def test_A8_an_odd_display_name_is_cleaned_and_keeps_nobody_out(world: PlainWorld) -> None:
    say(world, name="\u202eAda\u0000 \u200bLovelace\n", email="a" * 400 + "@example.com")

    assert await world.sign_in() == "/edit"

    user = (await world.person.call("GET", "/api/session")).body["user"]
    assert (user["name"], user["username"]) == ("Ada Lovelace", "a" * 256)


@pytest.mark.parametrize("value", [7, ["Ada"], "", "\u202e", None], ids=ascii)
async def test_A8_a_display_name_that_is_none_is_left_out(world: PlainWorld, value: object) -> None:
    say(world, name=value, email=value, preferred_username="ada")

    assert await world.sign_in() == "/edit"

    user = (await world.person.call("GET", "/api/session")).body["user"]
    assert (user["name"], user["username"]) == ("ada", "ada")


@pytest.mark.parametrize(
    "value", ["", " ", "\u0000", "x" * 2_049, 7, ["s"]], ids=lambda value: ascii(value)[:12]
)
async def test_A8_S20_a_session_of_the_authority_without_a_name_keeps_nobody_out(
    world: PlainWorld, value: object
) -> None:
    say(world, sid=value)

    assert await world.sign_in() == "/edit"
    assert await world.is_signed_in()


@pytest.mark.parametrize("name", ["sub", "sid", "jti", "iss", "aud"])
async def test_A8_S41_a_logout_token_names_what_it_ends(world: PlainWorld, name: str) -> None:
    await world.sign_in()
    values = [value for value in NO_NAMES if name != "iss" or isinstance(value, str)]
    if name in {"sid", "jti"}:
        values.remove("x" * 256)  # which may name a session or a token

    for value in values:
        answer = await world.sign_out_here(world.provider.logout_token(**{name: value}))
        assert answer.status == 400, (value, answer.text)

    assert await world.is_signed_in()
