"""Sign-out at the authority, and how applications hear of it (Entra, single sign-out)."""

import socket
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
from aiohttp import web
from yarl import URL

from tests.stage.tenant import GATEWAY, TENANT_ID, World, claims_of

HOME = "http://localhost:3000/"
FRONTCHANNEL = "http://localhost:3000/auth/frontchannel-logout"


def logout_url(world: World, **fields: str) -> str:
    return f"{world.url}/{TENANT_ID}/oauth2/v2.0/logout?{urlencode(fields)}"


async def test_the_session_ends_and_each_application_hears_its_sid(world: World) -> None:
    visitor = world.visitor()
    signed_in = await visitor.sign_in(world.authorize_url())
    await visitor.open(world.authorize_url())  # twice, and told once
    page = await visitor.open(logout_url(world, post_logout_redirect_uri=HOME))
    assert page.frames == [f"{FRONTCHANNEL}?sid={signed_in.answer['session_state']}"]
    assert page.links["Continue"] == HOME
    assert "frame-src http://localhost:3000" in page.headers["Content-Security-Policy"]
    assert "email" in (await visitor.open(world.authorize_url())).form.inputs


async def test_the_cookie_goes_and_an_old_one_is_good_for_nothing(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    (cookie_of_before,) = [cookie for cookie in visitor.session.cookie_jar if cookie.key == "stand_in_sso"]
    await visitor.open(logout_url(world))
    assert not [cookie for cookie in visitor.session.cookie_jar if cookie.key == "stand_in_sso"]
    visitor.session.cookie_jar.update_cookies({"stand_in_sso": cookie_of_before.value}, URL(world.url))
    assert "email" in (await visitor.open(world.authorize_url())).form.inputs


async def test_sign_out_may_be_posted(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    page = await visitor.open(logout_url(world), {"post_logout_redirect_uri": HOME, "state": "s"})
    assert (page.links["Continue"], len(page.frames)) == (f"{HOME}?state=s", 1)
    assert "email" in (await visitor.open(world.authorize_url())).form.inputs


async def test_state_comes_along(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    page = await visitor.open(logout_url(world, post_logout_redirect_uri=HOME, state="a b"))
    assert page.links["Continue"] == f"{HOME}?state=a+b"


async def test_an_unregistered_address_is_not_gone_to(world: World) -> None:
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    page = await visitor.open(logout_url(world, post_logout_redirect_uri="https://evil.example/"))
    assert "You are signed out" in page.text
    assert page.links == {}
    assert page.frames


async def test_without_a_session_there_is_nobody_to_tell(world: World) -> None:
    page = await world.visitor().open(logout_url(world, post_logout_redirect_uri=HOME))
    assert page.sent_to == HOME
    page = await world.visitor().open(logout_url(world))
    assert "You are signed out" in page.text


async def test_an_application_without_a_front_channel_address_is_left_out(world: World) -> None:
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"frontchannel_logout_uri": None})
    visitor = world.visitor()
    await visitor.sign_in(world.authorize_url())
    assert (await visitor.open(logout_url(world, post_logout_redirect_uri=HOME))).sent_to == HOME


async def test_the_picker_is_skipped_with_the_login_hint_claim_and_with_nothing_else(world: World) -> None:
    knobs = {"logout_picker": True, "optional_claims": {GATEWAY: ["login_hint"]}}
    await world.ask("PUT", "/admin/settings", json=knobs)
    visitor = world.visitor()
    id_token = (await world.signed_in(visitor)).body["id_token"]
    others = claims_of((await world.signed_in(email="grace@example.com")).body["id_token"])["login_hint"]
    for hint in (
        {"id_token_hint": id_token},
        {"logout_hint": "ada@example.com"},
        {"logout_hint": others},
        {},
    ):
        page = await visitor.open(logout_url(world, post_logout_redirect_uri=HOME, **hint))
        assert "Which account" in page.text
        assert page.frames == []
    page = await visitor.submit(page)
    assert page.links["Continue"] == HOME
    hint = claims_of((await world.signed_in(visitor)).body["id_token"])["login_hint"]
    page = await visitor.open(logout_url(world, post_logout_redirect_uri=HOME, logout_hint=hint))
    assert page.links["Continue"] == HOME


async def test_sign_out_revokes_no_refresh_token(world: World) -> None:
    visitor = world.visitor()
    token = (await world.signed_in(visitor)).body["refresh_token"]
    await visitor.open(logout_url(world))
    assert (await world.refresh(token)).status == 200


@pytest.fixture
async def listening(world: World) -> AsyncIterator[list[str]]:
    """Run an application that notes what it hears at its front-channel address."""
    heard: list[str] = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(request.query_string)
        return web.Response()

    app = web.Application()
    app.router.add_get("/auth/frontchannel-logout", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        await web.SockSite(runner, listener).start()
        uri = f"http://localhost:{port}/auth/frontchannel-logout"
        await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"frontchannel_logout_uri": uri})
        yield heard
        await runner.cleanup()


async def test_an_administrator_signs_someone_out_everywhere(world: World, listening: list[str]) -> None:
    visitors = [world.visitor(), world.visitor()]
    sids = [(await visitor.sign_in(world.authorize_url())).answer["session_state"] for visitor in visitors]
    grace = world.visitor()
    await grace.sign_in(world.authorize_url(), "grace@example.com")
    answer = await world.ask("POST", "/admin/people/ada@example.com/sign-out")
    assert [notice["status"] for notice in answer.body["notified"]] == [200, 200]
    assert sorted(listening) == sorted(f"sid={sid}" for sid in sids)
    assert "email" in (await visitors[0].open(world.authorize_url())).form.inputs
    assert "code" in (await grace.open(world.authorize_url())).answer


async def test_an_application_that_does_not_answer_is_reported(world: World) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        uri = f"http://127.0.0.1:{listener.getsockname()[1]}/logout"
        await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"frontchannel_logout_uri": uri})
        await world.visitor().sign_in(world.authorize_url())
        answer = await world.ask("POST", "/admin/people/ada@example.com/sign-out")
    assert answer.body["notified"][0]["error"] == "ClientConnectorError"


async def test_a_redirect_at_a_front_channel_address_is_reported_and_not_followed(world: World) -> None:
    uri = logout_url(world, post_logout_redirect_uri=HOME)
    await world.ask("PUT", f"/admin/apps/{GATEWAY}", json={"frontchannel_logout_uri": uri})
    await world.visitor().sign_in(world.authorize_url())
    answer = await world.ask("POST", "/admin/people/ada@example.com/sign-out")
    assert answer.body["notified"][0]["status"] == 303


async def test_logout_tokens_are_there_for_back_channel_tests(world: World) -> None:
    page = await world.visitor().sign_in(world.authorize_url())
    (entry,) = (await world.ask("POST", "/admin/people/ada@example.com/logout-tokens")).body
    claims = claims_of(entry["logout_token"])
    assert claims["sid"] == entry["sid"] == page.answer["session_state"]
    assert claims["aud"] == entry["client_id"] == GATEWAY
    assert "http://schemas.openid.net/event/backchannel-logout" in claims["events"]
    assert "nonce" not in claims
