"""Back-channel logout (S21): only a true, fresh, unused logout token ends sessions, and all of those that it names."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.stage.other_front_end import Answer
from tests.stage.plain_provider import CLIENT, LOGOUT_EVENT, Claims, Key, PlainProvider, compact, rsa_key
from tests.stage.plain_world import PlainWorld, plain_world

PATH = "/auth/backchannel-logout"


@pytest.fixture
async def world(valkey: str) -> AsyncIterator[PlainWorld]:
    """Give a gateway with back-channel logout, and Ada signed in."""
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        assert await world.sign_in() == "/edit"
        yield world


def _unsigned(provider: PlainProvider) -> str:
    return compact({"alg": "none", "typ": "logout+jwt"}, provider.logout_claims(), lambda _: b"")


def _ps256(provider: PlainProvider) -> str:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    header = {"alg": "PS256", "typ": "logout+jwt", "kid": provider.signing.kid}
    return compact(
        header,
        provider.logout_claims(),
        lambda data: provider.signing.private.sign(data, pss, hashes.SHA256()),
    )


MODULES: dict[str, Callable[[PlainProvider], str]] = {
    "oidcc-client-test-rp-backchannel-rpinitlogout": lambda op: op.logout_token(),
    "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none": _unsigned,
    "oidcc-client-test-rp-backchannel-rpinitlogout-no-event": lambda op: op.logout_token(events=None),
    "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce": lambda op: op.logout_token(nonce="n"),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg": _ps256,
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud": lambda op: op.logout_token(aud="another"),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event": lambda op: op.logout_token(
        events={"http://schemas.openid.net/event/other": {}}
    ),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss": lambda op: op.logout_token(
        iss="https://another.example"
    ),
}


@pytest.mark.parametrize("module", MODULES)
async def test_S21_an_openid_back_channel_module(world: PlainWorld, module: str) -> None:
    is_true = module.endswith("-rpinitlogout")

    answer = await world.sign_out_here(MODULES[module](world.provider))

    assert answer.status == (200 if is_true else 400), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert await world.is_signed_in() is not is_true
    if not is_true:
        assert answer.slug == "bad-request"
        assert not [key for key in await world.keys() if "logout-token" in key]


REFUSED: dict[str, Claims] = {
    "no expiry": {"exp": None},
    "expired": {"exp": 1_000_000_000, "iat": 999_999_000},
    "no time of issue": {"iat": None},
    "no name": {"jti": None},
    "an empty name": {"jti": ""},
    "a name that is a number": {"jti": 7},
    "neither session nor subject": {"sid": None, "sub": None},
    "an empty session": {"sid": ""},
    "a subject that is a list": {"sub": ["subject-1"]},
    "events that are a list": {"events": [LOGOUT_EVENT]},
    "an event that is no object": {"events": {LOGOUT_EVENT: "now"}},
    "an event in another spelling": {"events": {LOGOUT_EVENT.upper(): {}}},
    "an empty nonce": {"nonce": ""},
    "two audiences": {"aud": [CLIENT, "another"]},
}


@pytest.mark.parametrize("changed", REFUSED.values(), ids=REFUSED.keys())
async def test_S21_a_logout_token_that_is_not_whole_ends_nothing(world: PlainWorld, changed: Claims) -> None:
    answer = await world.sign_out_here(world.provider.logout_token(**changed))

    assert (answer.status, answer.headers["Cache-Control"]) == (400, "no-store")
    assert await world.is_signed_in()


async def test_S21_an_id_token_is_no_logout_token(world: PlainWorld) -> None:
    provider = world.provider
    id_token = provider.signing.token(provider.claims(nonce="n"))
    dressed_up = provider.signing.token({**provider.logout_claims(), **provider.claims(nonce="n")})

    assert (await world.sign_out_here(id_token)).status == 400
    assert (await world.sign_out_here(dressed_up)).status == 400
    assert await world.is_signed_in()


async def test_S21_a_token_of_another_kind_or_key_ends_nothing(world: PlainWorld) -> None:
    provider = world.provider
    claims = provider.logout_claims()

    for token in (
        provider.signing.token(claims, typ="at+jwt"),
        Key("key-1", rsa_key(3)).token(claims, typ="logout+jwt"),
        Key("key-9", rsa_key(3)).token(claims, typ="logout+jwt"),
        "not.a.token",
        "x" * 20_000,
    ):
        assert (await world.sign_out_here(token)).status in {400, 413}
    assert await world.is_signed_in()


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
async def test_every_type_that_providers_write_is_taken(world: PlainWorld, typ: str | None) -> None:
    token = world.provider.signing.token(world.provider.logout_claims(), typ=typ)

    assert (await world.sign_out_here(token)).status == 200
    assert not await world.is_signed_in()


async def test_S21_a_token_counts_once_also_when_it_comes_twenty_times_at_once(world: PlainWorld) -> None:
    token = world.provider.logout_token()

    answers = await asyncio.gather(*(world.sign_out_here(token) for _ in range(20)))

    assert sorted(answer.status for answer in answers) == [200, *[400] * 19]
    assert not await world.is_signed_in()


async def test_S21_a_token_is_remembered_for_as_long_as_it_would_be_believed(world: PlainWorld) -> None:
    await world.sign_out_here(world.provider.logout_token())

    (noted,) = [key for key in await world.keys() if "logout-token" in key]
    assert 320 < await world.redis.ttl(noted) <= 420
    assert world.provider.sub not in noted


async def test_S21_a_stale_token_ends_nothing(world: PlainWorld) -> None:
    token = world.provider.logout_token(exp=int(world.clock()) + 3600)
    world.clock.now += 241

    assert (await world.sign_out_here(token)).status == 400
    assert await world.is_signed_in()


async def test_S21_a_token_of_the_future_ends_nothing(world: PlainWorld) -> None:
    ahead = int(world.clock()) + 180

    assert (await world.sign_out_here(world.provider.logout_token(iat=ahead, exp=ahead + 60))).status == 400
    assert await world.is_signed_in()


async def test_S21_R28_without_redis_a_token_is_neither_accepted_nor_refused(valkey: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1", REDIS_URL="redis://127.0.0.1:1/0") as world:
        answer = await world.sign_out_here(world.provider.logout_token())

    assert (answer.status, answer.slug) == (503, "session-store-unavailable")
    assert "Retry-After" in answer.headers


async def test_S21_without_the_providers_keys_a_token_is_neither_accepted_nor_refused(valkey: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1", AUTHORITY_MAP="http://127.0.0.1:1") as world:
        answer = await world.sign_out_here(world.provider.logout_token())

    assert (answer.status, answer.slug) == (503, "authority-unavailable")


async def test_S21_a_token_that_met_an_outage_may_come_again(world: PlainWorld) -> None:
    token = world.provider.logout_token()
    sessions = [key for key in await world.keys() if "index:sid" in key]
    for key in sessions:  # what Redis answers with WRONGTYPE is a fault of Redis to the gateway
        await world.redis.rename(key, "away")
        await world.redis.set(key, "x")

    assert (await world.sign_out_here(token)).status == 503

    for key in sessions:
        await world.redis.rename("away", key)
    assert (await world.sign_out_here(token)).status == 200
    assert not await world.is_signed_in()


async def send(world: PlainWorld, body: bytes, kind: str, query: str = "") -> Answer:
    """Send any body to the address."""
    async with world.person.session.post(
        f"{world.gateway_url}{PATH}{query}", data=body, headers={"Content-Type": kind}
    ) as response:
        return Answer(response.status, response.headers, await response.text())


async def test_S7_a_token_comes_once_in_a_form_and_nowhere_else(world: PlainWorld) -> None:
    form, token = "application/x-www-form-urlencoded", world.provider.logout_token()
    field = f"logout_token={token}".encode()

    for body, kind, query in (
        (field + b"&" + field, form, ""),
        (field, form, f"?logout_token={token}"),
        (b"", form, f"?logout_token={token}"),
        (b"", form, ""),
        (b"logout_token=", form, ""),
        (b"logout_token=%ff", form, ""),
        (b"logout_token=\xff", form, ""),
        (b"logout_token=x", f"{form}; charset=unheard-of", ""),
        (field, "text/plain", ""),
        (json.dumps({"logout_token": token}).encode(), "application/json", ""),
    ):
        answer = await send(world, body, kind, query)
        assert (answer.status, answer.headers["Cache-Control"]) == (400, "no-store"), (body, kind, query)
    assert (await world.person.call("GET", PATH)).status == 405
    assert await world.is_signed_in()


async def test_the_authority_may_call_us_by_an_inner_name(world: PlainWorld) -> None:
    async with world.person.session.post(
        f"{world.gateway_url}{PATH}",
        data={"logout_token": world.provider.logout_token()},
        headers={"Host": "gateway.inner:3000"},
    ) as response:
        assert response.status == 200


async def test_it_does_not_exist_unless_it_is_switched_on(valkey: str) -> None:
    async with plain_world(valkey) as world:
        await world.sign_in()

        assert (await world.sign_out_here(world.provider.logout_token())).status == 404
        assert await world.is_signed_in()
