"""With rows as well, a refresh token of other providers reaches no further than its grant (RFC 6749, section 6)."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.app_keys import AUTH_FLOW, SESSIONS
from gateway.errors import StepUpRequired
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession
from gateway.tokens.resources import Resource
from tests.stage.plain_world import PlainWorld, plain_world
from tests.stage.stored import stored_token

NOTES, BILLS = Resource("notes", "notes.read"), Resource("bills", "bills.pay")
ALL_SCOPES = frozenset({"profile.read", "profile.edit", NOTES.scope, BILLS.scope})
ROWS = "".join(
    f'[[upstream]]\nname = "{one.name}"\nprefix = "/api/{one.name}"\ntarget = "http://127.0.0.1:9"\n'
    f'scope = "{one.scope}"\n'
    for one in (NOTES, BILLS)
)


@pytest.fixture
async def world(valkey: str, tmp_path: Path) -> AsyncIterator[PlainWorld]:
    """Give a world whose provider is not Entra, and whose gateway has two rows."""
    file = tmp_path / "upstreams.toml"
    file.write_text(ROWS, encoding="utf-8")
    async with plain_world(valkey, UPSTREAMS=str(file)) as world:
        yield world


async def live(world: PlainWorld) -> LiveSession:
    cookie = SessionCookie.parse(world.person.cookie())
    assert cookie
    session = await world.app[SESSIONS].load(cookie)
    assert session
    return session


async def has_token(world: PlainWorld, resource: Resource) -> bool:
    """Tell whether a new token is to be had without the person."""
    session = await live(world)
    await session.records.remove(f"token:{resource.key}")
    try:
        await world.app[AUTH_FLOW]._broker.access_token(await live(world), resource)
    except StepUpRequired:
        return False
    return True


async def confirm(world: PlainWorld, action: str) -> set[str]:
    """Step up for an action; return which scopes were asked for, sign-in's own left out."""
    path = f"/auth/step-up?action={action}&return_to=/{action}"
    redirect = await world.person.navigate(path)
    (scope,) = parse_qs(urlsplit(redirect.headers["Location"]).query)["scope"]
    assert await world.sent(world.provider.authorize(redirect.headers["Location"])) == f"/{action}"
    return set(scope.split()) - {"openid", "profile", "offline_access"}


async def test_what_was_not_asked_for_is_reached_after_a_step_up_only(world: PlainWorld) -> None:
    await world.sign_in()
    assert not await has_token(world, NOTES)

    assert await confirm(world, "notes") == {"profile.read", NOTES.scope}

    assert await has_token(world, NOTES)
    assert not await has_token(world, BILLS)
    assert (await world.person.call("GET", "/api/profile")).status == 200


async def test_each_step_up_asks_for_all_that_was_reached_so_far(world: PlainWorld) -> None:
    await world.sign_in()
    await confirm(world, "notes")
    assert await confirm(world, "profile.edit") == {"profile.read", "profile.edit", NOTES.scope}
    asked = await confirm(world, "bills")

    assert asked == {"profile.read", "profile.edit", NOTES.scope, BILLS.scope}
    for resource in (NOTES, BILLS, Resource("edit", "profile.edit"), Resource("graph", "profile.read")):
        assert await has_token(world, resource), resource.name
    assert (await world.person.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_S46_no_api_is_shown_a_token_that_opens_another_one(world: PlainWorld) -> None:
    await world.sign_in()
    await confirm(world, "notes")
    await confirm(world, "profile.edit")
    await confirm(world, "bills")

    for resource in (BILLS, NOTES):
        token = await world.app[AUTH_FLOW]._broker.access_token(await live(world), resource)
        others = world.provider.scopes_of(token.value) & ALL_SCOPES - {resource.scope}
        assert others == frozenset(), resource.name
    access = (await world.person.call("GET", "/api/session")).body["access"]
    assert set(access.values()) == {"granted"}


async def test_where_nothing_brings_a_narrower_token_that_of_the_flow_has_to_do(world: PlainWorld) -> None:
    world.provider.answer = {"refresh_token": None}
    await world.sign_in()
    await confirm(world, "notes")
    await confirm(world, "bills")

    assert await stored_token(await live(world), BILLS)


async def test_a_scope_that_the_person_did_not_grant_is_known_to_need_them(world: PlainWorld) -> None:
    await world.sign_in()
    await confirm(world, "notes")
    world.provider.answer = {"scope": "openid profile.read profile.edit"}

    await confirm(world, "profile.edit")

    access = (await world.person.call("GET", "/api/session")).body["access"]
    assert access["profile.edit"] == "granted"
    # What was asked for counts as granted, and notes were asked for beside; bills were not.
    assert (access["notes"], access["bills"]) == ("granted", "step-up")
