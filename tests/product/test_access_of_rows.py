"""What a session may do at the APIs of other teams: asked, confirmed up front, and lost, each apart from the others."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway import errors
from gateway.app_keys import STEP_UPS
from gateway.demand import Demand
from gateway.tokens.resources import Resource
from tests.product.listeners import QUICK, listening
from tests.product.test_tokens import broker_of, live
from tests.stage import other_apis
from tests.stage.json_schema import faults
from tests.stage.other_apis import BILLS, NOTES
from tests.stage.other_front_end import ADA, GRACE, Answer, OtherFrontEnd
from tests.stage.stored import stored_token
from tests.stage.trails import ReadTrail
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
UNTRIED = {"profile.edit": "step-up", "notes": "untried", "bills": "untried"}


def up_front(action: str) -> str:
    return f"/auth/step-up?action={action}&return_to=/{action}"


@pytest.fixture
async def world(make_world: MakeWorld, tmp_path: Path) -> World:
    """Give a world whose tenant and gateway know two APIs of other teams."""
    apis = other_apis.write(tmp_path)
    return await make_world(tenant_file=apis.tenant_file, UPSTREAMS=str(apis.rows_file), stream_limits=QUICK)


async def access(person: OtherFrontEnd) -> Any:
    return (await person.call("GET", "/api/session")).body["access"]


async def tried(world: World, person: OtherFrontEnd, resource: Resource) -> None:
    """Ask for a token as a request to an upstream does, and keep what is demanded instead."""
    session = await live(world, person)
    try:
        await broker_of(world).access_token(session, resource)
    except errors.StepUpRequired as required:
        await world.app[STEP_UPS].keep(session, required)


async def demanded(world: World, person: OtherFrontEnd, resource: Resource) -> str:
    """Let an API ask for more; return the way out."""
    required = errors.StepUpRequired(Demand(resource.scope))
    kept = await world.app[STEP_UPS].keep(await live(world, person), required)
    return str(kept.members["redirect"])


async def scopes_asked(person: OtherFrontEnd, path: str) -> set[str]:
    """Leave for the authority, and return what is asked of it, sign-in's own scopes left out."""
    redirect = await person.navigate(path)
    assert redirect.status == 303
    (scope,) = parse_qs(urlsplit(redirect.headers["Location"]).query)["scope"]
    return set(scope.split()) - {"openid", "profile", "offline_access"}


async def test_nobody_knows_what_was_never_tried_and_a_try_tells(world: World) -> None:
    ada = await world.signed_in()
    assert await access(ada) == UNTRIED

    await tried(world, ada, NOTES)
    await tried(world, ada, BILLS)

    assert await access(ada) == {"profile.edit": "step-up", "notes": "granted", "bills": "step-up"}
    world.forward(60)
    assert (await access(ada))["bills"] == "step-up", "also when nobody remembers the refusal"


async def test_a_step_up_up_front_is_for_its_action_and_asks_for_one_scope(world: World) -> None:
    ada = await world.signed_in()

    assert await scopes_asked(ada, up_front("bills")) == {BILLS.scope}
    before = ada.cookie()
    assert await ada.step_up(up_front("bills")) == "/bills"

    assert ada.cookie() != before, "a new id"
    assert await access(ada) == {"profile.edit": "step-up", "notes": "untried", "bills": "granted"}
    session = await live(world, ada)
    assert await stored_token(session, BILLS)
    assert await stored_token(session, NOTES) is None
    (listed,) = (await ada.call("GET", "/api/sessions")).body["sessions"]
    assert listed["last_mfa_at"].endswith("Z")


async def test_A6_a_step_up_says_what_it_was_for(
    make_world: MakeWorld, tmp_path: Path, trail: ReadTrail
) -> None:
    apis = other_apis.write(tmp_path)
    world = await make_world(tenant_file=apis.tenant_file, UPSTREAMS=str(apis.rows_file), trail=trail.trail)
    ada = await world.confirmed()
    await ada.step_up(up_front("bills"))

    told = [(entry["fact"], entry.get("upstream")) for entry in trail.new()]

    assert told == [
        ("sign-in", None),
        ("session-start", None),
        ("step-up", None),
        ("session-rotation", None),
        ("step-up", "bills"),
        ("session-rotation", "bills"),
    ]


async def test_each_confirmation_leaves_what_the_others_brought(world: World) -> None:
    ada = await world.confirmed()
    for action in ("notes", "bills"):
        assert await ada.step_up(up_front(action)) == f"/{action}"

    assert set((await access(ada)).values()) == {"granted"}
    refreshes = await world.asked("token.refresh_token")
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200
    session = await live(world, ada)
    for resource in (NOTES, BILLS):
        await broker_of(world).access_token(session, resource)
    assert await world.asked("token.refresh_token") == refreshes, "all three tokens were there"


@pytest.mark.parametrize("action", ["unknown", "Notes", "graph", "edit", "%00", "notes%20", "a" * 400])
async def test_an_action_that_there_is_not_leads_to_a_page_that_says_so(world: World, action: str) -> None:
    ada = await world.signed_in()

    answer = await ada.navigate(up_front(action))

    assert answer.status == 303
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (urlsplit(answer.headers["Location"]).path, query["type"]) == ("/problem", ["not-found"])
    assert action not in query["type"]
    assert await access(ada) == UNTRIED, "and nothing is lost"


async def test_two_tabs_that_step_up_for_two_apis_both_get_there(world: World) -> None:
    ada = await world.signed_in()
    ways = [f"{await demanded(world, ada, one)}&return_to=/{one.name}" for one in (NOTES, BILLS)]
    pages = [await ada.leave(way) for way in ways]

    assert await ada.come_back(pages[0]) == "/notes"
    page = pages[1]
    if "code" in page.form.inputs and "state" not in page.form.inputs:
        page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
    assert await ada.come_back(page) == "/bills", "its tab goes on, with what the first one brought"
    assert await access(ada) == {"profile.edit": "step-up", "notes": "granted", "bills": "step-up"}
    assert await scopes_asked(ada, ways[1]) == {BILLS.scope}, "and its challenge waits on"
    assert await ada.step_up(ways[1]) == "/bills"

    assert await access(ada) == {"profile.edit": "step-up", "notes": "granted", "bills": "granted"}


async def test_a_row_s_confirmation_grows_too_old_by_its_own_clock(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    apis = other_apis.write(tmp_path, bills_max_age=300)
    world = await make_world(tenant_file=apis.tenant_file, UPSTREAMS=str(apis.rows_file))
    ada = await world.confirmed()
    assert (await access(ada))["bills"] == "step-up", "signing in is no confirmation for bills"
    redirect = await ada.navigate(up_front("bills"))
    assert parse_qs(urlsplit(redirect.headers["Location"]).query)["prompt"] == ["login"]
    assert await ada.step_up(up_front("bills")) == "/bills"
    assert set((await access(ada)).values()) == {"granted", "untried"}

    world.forward(301)

    assert await access(ada) == {"profile.edit": "granted", "notes": "untried", "bills": "step-up"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_S28_whoever_comes_back_as_somebody_else_confirms_nothing(world: World) -> None:
    ada = await world.signed_in()
    ada.session.cookie_jar.clear(lambda one: not one.key.startswith("__Host"))  # what the tenant knows her by

    page = await ada.leave(up_front("notes"))
    if "password" in page.form.inputs:
        page = await ada.visitor.submit(page, email=GRACE[0], password=GRACE[1])
    way = await ada.come_back(page)

    assert "different-person" in way
    assert await access(ada) == UNTRIED


async def test_a_stream_tells_all_members_and_a_browser_that_knows_the_profile_s_alone_goes_on(
    world: World,
) -> None:
    ada = await world.signed_in()
    async with listening(ada) as stream:
        first = await stream.next()
        assert first
        await tried(world, ada, BILLS)
        told = await stream.event()
    assert (told.event, told.data) == ("access-changed", {"access": {**UNTRIED, "bills": "step-up"}})
    document = json.loads(await (await ada.session.get(f"{ada.gateway_url}/api/openapi.json")).text())
    schema = document["components"]["schemas"]["AccessChanged"]
    assert list(faults(told.data, schema, document)) == []

    async with listening(ada, Last_Event_ID=str(told.id)) as stream:
        again = await stream.next()
    assert again
    assert (again.event, again.id) == ("", told.id), "what was told is not told again"
    async with listening(ada, Last_Event_ID=str(first.id)) as stream:
        missed = await stream.event()
    assert (missed.event, missed.data) == (told.event, told.data)
    # As a gateway of the release before, or one without rows, gives them out.
    name = str(first.id).partition(".")[0]
    async with listening(ada, Last_Event_ID=f"{name}.step-up") as stream:
        quiet = await stream.next()
    assert quiet
    assert quiet.event == ""
    async with listening(ada, Last_Event_ID=f"{name}.granted") as stream:
        lost = await stream.event()
    assert lost.event == "access-changed"


async def test_U19_the_description_is_drawn_with_the_rows(world: World) -> None:
    ada = await world.signed_in()
    answer: Answer = await ada.call("GET", "/api/openapi.json")
    document = answer.body

    members = document["components"]["schemas"]["Access"]
    assert members["required"] == ["profile.edit", "notes", "bills"]
    assert members["properties"]["notes"]["enum"] == ["granted", "step-up", "untried"]
    assert members["properties"]["profile.edit"]["enum"] == ["granted", "step-up"]
    parameters = document["paths"]["/auth/step-up"]["get"]["parameters"]
    (action,) = [one["schema"] for one in parameters if one["name"] == "action"]
    assert action == {"type": "string", "enum": ["profile.edit", "notes", "bills"]}
