"""Where what is done comes from: read when somebody asks, and from nowhere outside of a request."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.audit.origin import Origin, about, coming_from, current_origin, note_origin
from gateway.audit.subject import Subject
from gateway.edge.client_address import ClientAddresses
from gateway.store.names import SessionRef
from servicekit.callers import NETWORK
from servicekit.reference import reference_of
from tests.stage.python_calls import python_calls

ADDRESSES = ClientAddresses(())
ADA = Subject("a-tenant", "an-oid", SessionRef("f" * 22, "d" * 64))
FIREFOX = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/130.0"


async def routed(path: str, peer: str = "198.51.100.7", **headers: str) -> web.Request:
    """Return a request that a router has seen."""

    async def handler(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/api/sessions/{id}", handler)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = make_mocked_request("GET", path, headers=named, app=app).clone(remote=peer)
    match = await app.router.resolve(request)
    match.add_app(app)
    request._match_info = match
    return request


async def test_a_request_is_told_by_its_client_its_route_and_its_reference() -> None:
    request = await routed("/api/sessions/canary?code=canary", User_Agent=FIREFOX)
    note_origin(request, ADDRESSES.of(request))

    origin = current_origin()
    assert (origin.address, origin.network) == ("198.51.100.7", "198.51.100.0/24")
    assert (origin.user_agent, origin.device) == (FIREFOX, "Firefox on Windows")
    assert origin.route == "GET /api/sessions/{id}"
    assert origin.reference == reference_of(request)
    assert request[NETWORK] == "198.51.100.0/24"


async def test_what_a_request_does_not_say_is_empty_and_what_says_too_much_is_cut() -> None:
    request = await routed("/nowhere", peer="", User_Agent="x" * 5_000)
    note_origin(request, ADDRESSES.of(request))

    origin = current_origin()
    assert (origin.address, origin.network, origin.route) == ("", "", "")
    assert origin.user_agent == "x" * 200


async def test_tasks_that_a_request_begins_come_from_it_and_others_do_not() -> None:
    async def answer(path: str) -> tuple[str, Subject | None]:
        request = await routed(path)
        note_origin(request, ADDRESSES.of(request))
        about(ADA)
        origin = await asyncio.create_task(asyncio.to_thread(current_origin))
        return origin.route, origin.subject

    assert await asyncio.create_task(answer("/api/sessions/1")) == ("GET /api/sessions/{id}", ADA)
    assert await asyncio.create_task(answer("/nowhere")) == ("", ADA)
    assert current_origin().subject is None


@pytest.mark.parametrize("name", ["address", "network", "user_agent", "device", "reference"])
def test_outside_of_a_request_nothing_is_known_but_what_somebody_says(name: str) -> None:
    with coming_from(Origin(route="end-sessions", subject=ADA)):
        origin = current_origin()

    assert getattr(origin, name) == ""
    assert (origin.route, origin.subject) == ("end-sessions", ADA)


async def test_a_request_that_is_no_fact_for_anybody_costs_a_few_calls() -> None:
    request = await routed("/api/sessions/1", User_Agent=FIREFOX)

    assert python_calls(lambda: note_origin(request, ADDRESSES.of(request))) <= 8
