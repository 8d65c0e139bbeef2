"""The rest of the admin surface: who may use it, keys, knobs, forged ID tokens, applications, reset."""

import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import jwt
import pytest
from aiohttp import web

from local_tenant.app import create_app
from local_tenant.configuration import BUNDLED, load
from local_tenant.forgery import VARIANTS, Variant
from local_tenant.signing import KeyRing, SigningKey
from tests.stage.tenant import (
    API,
    EDIT_SCOPE,
    GATEWAY,
    ISSUER,
    SIGN_IN_SCOPE,
    TENANT_ID,
    World,
    claims_of,
    header_of,
)


async def kids(world: World) -> set[str]:
    keys = (await world.ask("GET", f"/{TENANT_ID}/discovery/v2.0/keys")).body["keys"]
    return {key["kid"] for key in keys}


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://localhost:3000"}, {"Origin": "null"}, {"Host": "tenant.example"}],
)
async def test_S57_no_web_page_and_no_rebound_name_reaches_the_admin_surface(
    world: World, headers: dict[str, str]
) -> None:
    answer = await world.ask("POST", "/admin/reset", headers=headers)
    assert answer.status == 403


def tenant_app(signing_keys: Callable[[], SigningKey], *, admin: bool) -> web.Application:
    values = dict.fromkeys(("GATEWAY_SECRET", "GATEWAY_CERTIFICATE", "API_SECRET", "API_CERTIFICATE"), "")
    configuration = load(BUNDLED, {**values, "GATEWAY_URL": "http://localhost:3000"})
    return create_app(configuration, public_url="http://127.0.0.1", admin=admin, keys=KeyRing(signing_keys))


async def test_S57_a_caller_that_is_not_known_to_be_on_this_machine_is_refused(
    signing_keys: Callable[[], SigningKey], tmp_path: Path
) -> None:
    # Over a socket in the file system a caller has no address; the name it asks for is right, and it is no page.
    runner = web.AppRunner(tenant_app(signing_keys, admin=True))
    await runner.setup()
    path = str(tmp_path / "socket")
    await web.UnixSite(runner, path).start()
    connector = aiohttp.UnixConnector(path)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get("http://localhost/") as response:
            assert response.status == 200
        async with session.post("http://localhost/admin/reset") as response:
            assert response.status == 403
    await runner.cleanup()


async def test_S57_the_admin_surface_can_be_switched_off(signing_keys: Callable[[], SigningKey]) -> None:
    app = tenant_app(signing_keys, admin=False)
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        await web.SockSite(runner, listener).start()
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/admin/reset") as response:
                assert response.status == 404
            async with session.get(f"{url}/") as response:
                assert "/admin</code>: off" in await response.text()
        await runner.cleanup()


async def test_keys_roll_and_the_old_one_stays_for_a_while(world: World) -> None:
    before = (await world.signed_in()).body["id_token"]
    old = header_of(before)["kid"]
    rolled = (await world.ask("POST", "/admin/keys/rotate", json={"retire_old": False})).body
    assert old in rolled["published"]
    after = header_of((await world.signed_in()).body["id_token"])["kid"]
    assert after == rolled["signing"] != old
    assert after in await kids(world)


async def test_a_retired_key_is_no_longer_published(world: World) -> None:
    tokens = await world.stepped_up()
    old = header_of(tokens.body["access_token"])["kid"]
    await world.ask("POST", "/admin/keys/rotate", json={"retire_old": True})
    assert old not in await kids(world)
    assert len(await kids(world)) == 2
    assert (await world.on_behalf_of(tokens.body["access_token"])).status == 200


async def test_a_next_key_is_published_before_it_signs(world: World) -> None:
    before = await kids(world)
    answer = (await world.ask("POST", "/admin/keys/publish-next")).body
    assert len(await kids(world)) == len(before) + 1
    assert answer["signing"] in before


async def test_an_unpublished_key_may_sign_until_the_tenant_is_reset(world: World) -> None:
    await world.ask("POST", "/admin/keys/sign-with-unpublished")
    kid = header_of((await world.signed_in()).body["id_token"])["kid"]
    assert kid not in await kids(world)
    assert (await world.ask("POST", "/admin/keys/explode")).status == 404
    await world.ask("POST", "/admin/reset")
    assert header_of((await world.signed_in()).body["id_token"])["kid"] in await kids(world)


async def test_what_the_surface_does_not_know_is_said_in_json(world: World) -> None:
    for method, path, body, status in (
        ("GET", "/admin/nothing", None, 404),
        ("GET", "/admin/reset", None, 405),
        ("PUT", "/admin/policies/nobody", {"mfa": True}, 404),
        ("PUT", f"/admin/policies/{API}", {"mfa": "perhaps"}, 400),
        ("POST", "/admin/keys/rotate", {"retire_old": "false"}, 400),
        ("POST", "/admin/keys/rotate", {"retire": True}, 400),
        ("GET", "/admin/requests?point=nowhere", None, 404),
    ):
        answer = await world.ask(method, path, json=body)
        assert (answer.status, type(answer.body["error"])) == (status, str), path
        if status == 405:
            assert answer.headers["Allow"] == "POST"


async def test_knobs_are_turned_one_at_a_time(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"access_token_seconds": 60})
    await world.ask("PUT", "/admin/settings", json={"graph_lag_seconds": 1.5})
    knobs = (await world.ask("GET", "/admin/settings")).body
    assert (knobs["access_token_seconds"], knobs["graph_lag_seconds"]) == (60, 1.5)
    assert knobs["rotate_refresh_tokens"] is False


@pytest.mark.parametrize(
    "knob",
    [
        {"speed": 1},
        {"access_token_seconds": 0},
        {"access_token_seconds": "60"},
        {"clock_offset_seconds": 1e300},
        {"optional_claims": {"x": ["amr"]}},
    ],
)
async def test_an_impossible_knob_is_refused_and_nothing_turns(world: World, knob: dict[str, object]) -> None:
    before = (await world.ask("GET", "/admin/settings")).body
    assert (await world.ask("PUT", "/admin/settings", json={"id_token_seconds": 9, **knob})).status == 400
    assert (await world.ask("GET", "/admin/settings")).body == before


async def test_the_clock_can_be_wrong(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": -7200})
    claims = claims_of((await world.signed_in()).body["id_token"])
    assert claims["exp"] < world.clock.now


async def test_the_next_sign_in_may_come_back_as_someone_else(world: World) -> None:
    await world.ask("PUT", "/admin/next-sign-in", json={"as": "grace@example.com"})
    visitor = world.visitor()
    first = await world.signed_in(visitor)
    second = await world.redeem(await visitor.open(world.authorize_url()))
    assert claims_of(first.body["id_token"])["name"] == "Grace Hopper"
    assert claims_of(second.body["id_token"])["name"] == "Ada Lovelace"
    assert (await world.ask("PUT", "/admin/next-sign-in", json={"as": "nobody@x"})).status == 404


async def test_client_info_may_be_missing(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"omit_client_info": True})
    assert "client_info" not in (await world.signed_in()).body


@pytest.mark.parametrize("variant", VARIANTS)
async def test_a_forged_id_token_fails_an_honest_check_and_the_next_one_passes(
    world: World, variant: Variant
) -> None:
    await world.ask("PUT", "/admin/id-token", json={"variant": variant})
    visitor = world.visitor()
    forged = (await world.signed_in(visitor)).body.get("id_token")
    with pytest.raises((jwt.PyJWTError, AssertionError, KeyError)):
        await check(world, forged)
    await check(world, (await world.redeem(await visitor.open(world.authorize_url()))).body["id_token"])


async def check(world: World, token: str | None) -> None:
    """Check an ID token as OpenID Connect Core 3.1.3.7 says, with Entra's members."""
    assert token is not None
    keys = (await world.ask("GET", f"/{TENANT_ID}/discovery/v2.0/keys")).body
    key = jwt.PyJWKSet.from_dict(keys)[header_of(token)["kid"]]
    required = ["iss", "aud", "sub", "exp", "iat", "nbf", "nonce", "oid", "tid"]
    claims = jwt.decode(
        token,
        key,
        ["RS256"],
        audience=GATEWAY,
        issuer=ISSUER,
        options={"require": required, "strict_aud": True},
    )
    assert (claims["nonce"], claims["tid"]) == ("nonce-1", TENANT_ID)


async def test_an_application_can_be_changed_and_nothing_else_named(world: World) -> None:
    assert (await world.ask("PUT", "/admin/apps/nobody", json={})).status == 404
    assert (await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"colour": "plum"})).status == 400
    for uri in ("http://app.example/callback", "http://localhost:3000/#part", "app:/callback"):
        bad = {"redirect_uris": [uri]}
        assert (await world.ask("PUT", f"/admin/apps/{GATEWAY}", json=bad)).status == 400
    for body in (b"[]", b"{", b"\xff", b"[" * 100_000):
        assert (await world.ask("PUT", f"/admin/apps/{GATEWAY}", data=body)).status == 400


async def test_withdrawn_consent_is_missed_at_the_next_refresh(world: World) -> None:
    token = (await world.signed_in()).body["refresh_token"]
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"consent": {}})
    refused = await world.refresh(token, SIGN_IN_SCOPE)
    assert (refused.number, refused.body["suberror"]) == (65001, "consent_required")


async def test_reset_makes_everything_as_it_was(world: World) -> None:
    visitor = world.visitor()
    token = (await world.stepped_up(visitor)).body["refresh_token"]
    signing = (await kids(world)).copy()
    await world.ask("PUT", "/admin/faults/keys", json={"status": 500})
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": 60, "access_token_seconds": 5})
    await world.ask("PUT", f"/admin/policies/{API}", json={"mfa": False})
    await world.ask("POST", "/admin/people/unusual")
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"consent": {}, "secrets": []})
    await world.ask("PUT", "/admin/id-token", json={"variant": "missing", "times": 99})
    await world.ask("PUT", "/admin/next-sign-in", json={"as": "grace@example.com", "times": 99})
    assert (await world.ask("POST", "/admin/reset")).status == 204
    assert claims_of((await world.signed_in()).body["id_token"])["name"] == "Ada Lovelace"
    await world.ask("DELETE", "/admin/requests")
    assert await kids(world) == signing
    assert (await world.ask("GET", "/admin/settings")).body["access_token_seconds"] is None
    assert (await world.ask("GET", "/admin/requests")).body[:-1] == []
    assert len((await world.ask("GET", "/admin/people")).body) == 2
    assert (await world.refresh(token)).number == 70000
    assert "email" in (await visitor.open(world.authorize_url(EDIT_SCOPE))).form.inputs
    assert "Confirm" in (await visitor.sign_in(world.authorize_url(EDIT_SCOPE))).text
