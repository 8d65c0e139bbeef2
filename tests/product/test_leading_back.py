"""Where flows and sign-outs lead back to: our own pages, those of named front ends, and nobody else's (S9)."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from gateway.edge.origins import ORIGINS
from gateway.flows.return_address import return_address
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.witnesses import ask
from tests.stage.world import World

APP = "http://localhost:5173"
BESIDE = {"Origin": APP, "Sec-Fetch-Site": "same-site"}
STEP_UP = "/auth/step-up?action=profile.edit&return_to="
ADDRESSES = json.loads((Path(__file__).parents[1] / "stage/return_addresses.json").read_text("utf-8"))
EVIL = [
    "http://localhost:5174/",
    "https://localhost:5173/",
    "http://localhost:5173.evil.example/",
    "http://localhost:5173@evil.example/",
    "http://localhost:51730/",
    "HTTP://localhost:5173/",
    "http://LOCALHOST:5173/",
    "http:\\\\localhost:5173/",
    "//localhost:5173/",
    "http://localhost:5173\\@evil.example/",
    "http://localhost:5173%2f@evil.example/",
    " http://localhost:5173/",
    "javascript:alert(1)//http://localhost:5173/",
]
MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Give a gateway with a front end on another port."""
    return await make_world(ALLOWED_ORIGINS=APP)


async def sign_out(person: OtherFrontEnd, return_to: str) -> Answer:
    """Sign out from the other front end's page."""
    return await person.call("POST", f"/auth/sign-out?return_to={quote(return_to, safe='')}", headers=BESIDE)


async def test_S9_sign_in_sign_up_and_step_up_lead_back_to_a_named_front_end(world: World) -> None:
    ada = await world.front_end()

    for rest in ("", "/", "/notes/7?x=%20#part", "/auth/done", "/a b/\u00fc"):
        named = quote(APP + rest, safe="")
        expected = f"{APP}{quote(rest, safe='/?=%#') or '/'}"
        assert await ada.sign_in(path=f"/auth/sign-in?return_to={named}") == expected
        assert await ada.step_up(f"{STEP_UP}{named}") == expected
        begun = await ada.navigate(f"/auth/sign-up?return_to={named}")
        assert begun.headers["Location"].startswith(world.tenant_url)


async def test_S9_whoever_looks_like_it_is_a_stranger_to_every_flow(world: World) -> None:
    ada = await world.front_end()

    for evil in EVIL:
        assert await ada.sign_in(path=f"/auth/sign-in?return_to={quote(evil, safe='')}") == "/", evil
        await sign_out(ada, evil)
        assert ada.cookie("__Host-Http-signed-out") == "", evil


async def test_S9_the_whole_list_of_foreign_addresses_stays_refused_beside_a_named_front_end(
    world: World,
) -> None:

    origins = world.app[ORIGINS]
    refused = [text for kind in ADDRESSES["refused"].values() for text in kind]

    assert {return_address(text, origins) for text in refused} == {"/"}
    assert [return_address(text, origins) for text in ADDRESSES["kept"]] == ADDRESSES["kept"]
    behind = {return_address(APP + text, origins) for text in refused if text.startswith("/")}
    assert {address for address in behind if not address.startswith(f"{APP}/")} == set()


async def test_a_flow_that_fails_ends_on_the_page_of_the_front_end_that_began_it(world: World) -> None:
    ada = await world.front_end()
    named = quote(f"{APP}/notes?x", safe="")

    page = await ada.leave(f"/auth/sign-in?return_to={named}")
    cancelled = urlsplit(await ada.come_back(await ada.visitor.follow(page, "Cancel")))
    without = urlsplit((await ada.navigate(f"{STEP_UP}{named}")).headers["Location"])

    for where, slug in ((cancelled, "sign-in-cancelled"), (without, "sign-in-required")):
        assert f"{where.scheme}://{where.netloc}{where.path}" == f"{APP}/problem"
        query = parse_qs(where.query)
        assert (query["type"], query["return_to"]) == ([slug], ["/notes?x"])
        assert query["reference"]


async def test_whoever_begins_too_many_flows_is_told_so_by_the_front_end_too(make_world: MakeWorld) -> None:
    world = await make_world(ALLOWED_ORIGINS=APP, JOURNEYS_PER_MINUTE="1")
    person = await world.front_end()

    for _ in range(8):
        where = urlsplit((await person.navigate(f"/auth/sign-in?return_to={APP}/notes")).headers["Location"])
        if where.path == "/problem":
            break
    query = parse_qs(where.query)

    assert f"{where.scheme}://{where.netloc}" == APP
    assert (query["type"], query["return_to"]) == (["too-many-requests"], ["/notes"])
    assert int(query["retry_after"][0]) > 0


@pytest.mark.parametrize("home", [f"{APP}/bye?x=1", f"{APP}/", "/sessions"])
async def test_S19_after_the_authoritys_page_the_browser_ends_where_the_sign_out_said(
    world: World, home: str
) -> None:
    ada = await world.signed_in()

    out = await sign_out(ada, home)
    registered = parse_qs(urlsplit(out.body["redirect"]).query)["post_logout_redirect_uri"]
    back = await ask(ada, "GET", "/", {"Accept": "text/html", "Sec-Fetch-Dest": "document"})
    again = await ask(ada, "GET", "/", {"Accept": "text/html"})

    assert registered == [f"{world.gateway_url}/"], "to the letter"
    assert (back.status, back.headers["Location"]) == (303, home)
    assert again.status == 200, "once"


async def test_S19_nothing_is_remembered_of_a_sign_out_that_says_nothing(world: World) -> None:
    ada = await world.signed_in()

    await ada.call("POST", "/auth/sign-out")

    assert ada.cookie("__Host-Http-signed-out") == ""
    assert (await ada.navigate("/")).status == 200


async def test_S9_a_cookie_that_somebody_planted_leads_nowhere(world: World) -> None:
    person = await world.front_end()

    for value in (*map(quote, EVIL), "%", "", "/", "%2F%2Fevil.example", "%FF"):
        headers = {"Cookie": f"__Host-Http-signed-out={value}"}
        assert (await ask(person, "GET", "/", headers)).status == 200, value
    twice = quote(f"{APP}/", safe="")
    doubled = {"Cookie": f"__Host-Http-signed-out={twice}; __Host-Http-signed-out={twice}"}
    assert (await ask(person, "GET", "/", doubled)).status == 200


async def test_S19_without_the_authority_a_sign_out_leads_straight_home(make_world: MakeWorld) -> None:
    world = await make_world(ALLOWED_ORIGINS=APP)
    await world.admin("PUT", "/faults/discovery", {"status": 503, "times": 50})
    person = await world.front_end()

    assert (await sign_out(person, f"{APP}/bye")).body["redirect"] == f"{APP}/bye"
    assert (await sign_out(person, "/sessions")).body["redirect"] == f"{world.gateway_url}/sessions"
    assert (await person.call("POST", "/auth/sign-out")).body["redirect"] == f"{world.gateway_url}/"
    assert person.cookie("__Host-Http-signed-out") == ""


async def test_S19_with_an_id_token_hint_the_page_of_ours_lets_a_named_front_end_pass(
    make_world: MakeWorld,
) -> None:
    world = await make_world(ALLOWED_ORIGINS=APP, ID_TOKEN_HINT="1")
    ada = await world.signed_in()

    redirect = urlsplit((await sign_out(ada, f"{APP}/bye")).body["redirect"])
    navigated = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document"}
    page = await ask(ada, "GET", f"{redirect.path}?{redirect.query}", navigated)

    assert (page.status, 'name="id_token_hint"' in page.text) == (200, True)
    assert (await ada.navigate("/")).headers["Location"] == f"{APP}/bye"
