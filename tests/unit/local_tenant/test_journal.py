"""What was asked of the tenant, for tests to look at: complete, in order, and without secrets."""

import aiohttp

from local_tenant.journal import headers_without_secrets
from tests.stage.tenant import API, EDIT_SCOPE, SIGN_IN_SCOPE, TENANT_ID, World, claims_of


async def test_the_journal_cuts_secrets_and_keeps_what_tests_ask_for(world: World) -> None:
    visitor = world.visitor()
    page = await visitor.sign_in(world.authorize_url(EDIT_SCOPE))
    tokens = await world.redeem(await visitor.confirm(page), EDIT_SCOPE)
    old = tokens.body["refresh_token"]
    await world.refresh(old, SIGN_IN_SCOPE)
    await world.refresh(old, SIGN_IN_SCOPE)
    graph = await world.on_behalf_of(tokens.body["access_token"])
    await world.me(graph.body["access_token"], "PATCH", json={"city": "Paris"})
    everything = (await world.ask("GET", "/admin/requests")).body
    text = str(everything)
    for secret in (
        old,
        tokens.body["access_token"],
        graph.body["access_token"],
        "gateway-secret",
        "api-secret",
    ):
        assert secret not in text
    refreshes = (await world.ask("GET", "/admin/requests", params={"point": "token.refresh_token"})).body
    first, second = (entry["form"] for entry in refreshes)
    assert first["refresh_token"] == second["refresh_token"] != ""
    assert first["scope"] == SIGN_IN_SCOPE
    assert everything[-1]["point"] == "graph.patch_me"
    assert everything[-1]["body"] == '{"city": "Paris"}'
    assert everything[-1]["headers"]["authorization"].startswith("Bearer [cut ")
    assert everything[0]["point"] == "authorize"
    assert everything[0]["query"]["scope"] == EDIT_SCOPE
    await world.ask("DELETE", "/admin/requests")
    assert (await world.ask("GET", "/admin/requests")).body == []
    assert claims_of(tokens.body["access_token"])["aud"] == API


async def test_the_journal_keeps_no_secret_of_a_body_in_another_form(world: World) -> None:
    path = f"/{TENANT_ID}/oauth2/v2.0/token"
    form = aiohttp.FormData(
        {"grant_type": "refresh_token", "client_secret": "hunter2"}, default_to_multipart=True
    )
    await world.ask("POST", path, data=form)
    await world.ask("POST", f"/{TENANT_ID}/oauth2/v2.0/authorize", json={"client_secret": "hunter2"})
    entries = (await world.ask("GET", "/admin/requests")).body
    assert len(entries) == 2
    assert "hunter2" not in str(entries)


async def test_the_journal_tells_how_graph_and_the_authority_refused(world: World) -> None:
    await world.me("garbage")
    await world.refresh("garbage")
    assert [entry["status"] for entry in (await world.ask("GET", "/admin/requests")).body] == [401, 400]


async def test_the_journal_keeps_no_cookie_however_many_are_sent(world: World) -> None:
    sent = {"Cookie": "stand_in_sso=the-first-secret; another=the-second-secret"}
    await world.ask("GET", f"/{TENANT_ID}/v2.0/.well-known/openid-configuration", headers=sent)
    (entry,) = (await world.ask("GET", "/admin/requests", params={"point": "discovery"})).body
    assert entry["headers"]["cookie"].startswith("[cut ")
    assert "secret" not in str(entry)


def test_A8_a_neighbours_cookie_that_is_no_utf8_is_noted_like_any_other() -> None:
    odd, other = (
        headers_without_secrets({"Cookie": f"theme={text}"})["cookie"] for text in ("\udcff", "\udcfe")
    )

    assert odd.startswith("[cut sha256:")
    assert odd != other
