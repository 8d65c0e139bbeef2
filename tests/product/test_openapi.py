"""GET /api/openapi.json says what the gateway does: its routes, its problems, its answers."""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from gateway import errors
from gateway.app import create_app
from gateway.edge.spa_files import SpaFiles
from gateway.profile.fields import EDITABLE
from servicekit import errors as shared
from servicekit.http.bodies import LARGEST_BODY
from servicekit.problems import ProblemError
from servicekit.version import VERSION
from tests.product.listeners import LONG, PATH, ReceivedEvent, listening
from tests.stage.contract import DOCUMENT, breaches, described
from tests.stage.json_schema import faults, resolve
from tests.stage.openapi_facts import facts
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.world import World, gateway_settings

CONTRACT: Final = Path(__file__).parent / "openapi_contract.txt"
METHODS: Final = frozenset({"get", "post", "patch", "put", "delete"})
PROBLEM: Final = "application/problem+json"


def routed(spa: Path) -> set[tuple[str, str]]:
    """Return what the router takes in both response modes, HEAD and the client's pages and files left out."""
    (spa / "index.html").touch()
    pages = {row.path.replace(":.+}", "}") for row in SpaFiles(spa).routes()}
    routes = set()
    for mode in ("form_post", "query"):
        settings = gateway_settings(RESPONSE_MODE=mode, BACKCHANNEL_LOGOUT="1", REDIS_URL="redis://localhost")
        for route in create_app(settings, spa=spa).router.routes():
            path = route.resource.canonical if route.resource else ""
            if path not in pages and route.method != "HEAD":
                routes.add((route.method.lower(), path))
    return routes


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield each operation with its method and path."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS & item.keys():
            yield method, path, item[method]


def nodes(node: object) -> Iterator[dict[str, Any]]:
    """Yield every object in the document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def problems() -> set[type[ProblemError]]:
    """Return every class of the errors that the gateway knows, and the root, whose slug is that of our own faults.

    Without upstreams there is none that takes too long.
    """
    return {
        kind
        for module in (errors, shared)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, ProblemError) and kind not in {errors.AuthFlowRejected, errors.UpstreamTimedOut}
    }


def test_U19_every_route_is_described_and_every_description_is_routed(tmp_path: Path) -> None:
    assert {(method, path) for method, path, _ in operations()} == routed(tmp_path)


def test_U19_U24_the_contract_is_the_one_that_front_ends_rely_on() -> None:
    """A line that is missing breaks somebody; a new one is noted down, so that it cannot go unnoticed either."""
    noted = set(CONTRACT.read_text(encoding="utf-8").splitlines())

    assert sorted(noted - facts(DOCUMENT)) == []
    assert sorted(facts(DOCUMENT) - noted) == []


def test_every_problem_is_described_with_its_status() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    statuses = {
        schema["allOf"][1]["properties"]["type"]["const"]: schema["allOf"][1]["properties"]["status"]["const"]
        for schema in schemas.values()
        if "allOf" in schema
    }
    flows = set(schemas["JourneyProblem"]["enum"])

    # A failure and its kinds may share a slug.
    for slug, status, in_a_flow in {
        (kind.slug, kind.status, issubclass(kind, errors.AuthFlowRejected)) for kind in problems()
    }:
        if in_a_flow:
            assert slug in flows
        else:
            assert statuses.pop(f"/problems/{slug}") == status
    assert statuses == {"/problems/method-not-allowed": 405}  # the router's own
    assert flows <= {kind.slug for kind in problems()}


def test_limits_are_those_of_the_code() -> None:
    patch = DOCUMENT["components"]["schemas"]["ProfilePatch"]["properties"]

    assert {name: field["maxLength"] for name, field in patch.items()} == {
        field.name: field.longest for field in EDITABLE
    }
    assert f"{LARGEST_BODY:,} bytes" in DOCUMENT["components"]["schemas"]["ContentTooLarge"]["description"]


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    used = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}
    components = {
        f"#/components/{kind}/{name}"
        for kind, entries in DOCUMENT["components"].items()
        for name in entries
        if kind != "securitySchemes"
    }

    assert used <= components
    # What is no one's part stands for itself: how a flow can end.
    assert components - used == {
        "#/components/schemas/JourneyProblem",
        "#/components/responses/MethodNotAllowed",
    }


def test_operations_have_names_of_their_own_and_say_what_they_do() -> None:
    named = [operation["operationId"] for _, _, operation in operations()]

    assert len(set(named)) == len(named)
    assert all(operation["summary"] and operation["description"] for _, _, operation in operations())


def test_U19_examples_fit_their_schemas() -> None:
    checked = 0
    for node in nodes(DOCUMENT):
        for example in node.get("examples", {}).values() if "schema" in node else ():
            value = resolve(example, DOCUMENT)["value"]

            assert list(faults(value, node["schema"], DOCUMENT)) == []
            checked += 1
    assert checked > len(problems())


@pytest.mark.parametrize(
    "value, schema",
    [
        ({"a": 1}, {"type": "object", "additionalProperties": False, "properties": {}}),
        ({}, {"required": ["a"]}),
        ({"a": "x"}, {"properties": {"a": {"type": "integer"}}}),
        (True, {"type": "integer"}),
        ("Z", {"pattern": "^[a-z]$"}),
        ([1, "x"], {"items": {"type": "integer"}}),
        ("xy", {"maxLength": 1}),
        (1, {"const": True}),
        (1, {"oneOf": [{"type": "integer"}, {"minimum": 0}]}),
        ("x", {"allOf": [{"$ref": "#/components/schemas/Time"}]}),
    ],
)
def test_the_judge_of_examples_sees_what_is_wrong(value: object, schema: Mapping[str, Any]) -> None:
    assert list(faults(value, schema, DOCUMENT))


async def call(person: OtherFrontEnd, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """Call a route that is described; a person judges what it answers."""
    assert described(method, path)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await person.call(method, path, body, headers=named)


@pytest.mark.parametrize(
    "asked, status, headers, text, breach",
    [
        ("GET /health/live", 200, {"Cache-Control": "no-store"}, '{"status": "dead"}', "status: 'dead'"),
        ("GET /health/live", 200, {}, '{"status": "live"}', "Cache-Control: is missing"),
        ("GET /health/live", 418, {}, "", "418 is not described"),
        ("DELETE /api/sessions/5d", 204, {"Cache-Control": "no-store"}, "{}", "no body is described"),
        ("GET /api/session?x=1", 500, {"Cache-Control": "public"}, "{}", "Cache-Control: 'public'"),
        ("GET /auth/callback", 200, {}, "", "200 is not described"),
    ],
)
def test_the_judge_of_answers_sees_what_is_wrong(
    asked: str, status: int, headers: Mapping[str, str], text: str, breach: str
) -> None:
    method, path = asked.split()
    reported = breaches(method, path, status, {"Content-Type": "application/json", **headers}, text)

    assert next(reported).startswith(breach)


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/", 200),
        ("HEAD", "/api/session", 200),
        ("PUT", "/api/session", 405),
        ("GET", "/auth/callback", 405),
    ],
)
def test_the_judge_of_answers_leaves_alone_what_is_not_described(method: str, path: str, status: int) -> None:
    assert list(breaches(method, path, status, {}, "")) == []


async def test_the_description_has_the_version_of_the_product(world: World) -> None:
    person = await world.front_end()

    assert (await person.call("GET", "/api/openapi.json")).body["info"]["version"] == VERSION


async def test_U19_what_the_gateway_answers_is_what_is_described(world: World) -> None:
    person = await world.front_end()
    statuses = [
        (await call(person, "GET", "/api/session")).status,
        (await call(person, "GET", "/api/profile")).status,
        (await call(person, "GET", "/api/session", X_CSRF="")).status,
        (await call(person, "GET", "/api/session", Host="elsewhere.example")).status,
        (await call(person, "GET", "/health/live")).status,
        (await call(person, "GET", "/health/ready")).status,
        (await call(person, "GET", "/api/openapi.json")).status,
    ]
    assert statuses == [200, 401, 403, 421, 200, 200, 200]

    await person.sign_in()
    profile = await call(person, "GET", "/api/profile")
    etag, city = profile.headers["ETag"], {"city": "Turin"}
    parked = await call(person, "PATCH", "/api/profile", city, If_Match=etag)
    edit = parked.body["parked_edit"]["id"]
    statuses = [
        (await call(person, "GET", "/api/session")).status,
        (await call(person, "GET", "/api/session/claims")).status,
        (await call(person, "GET", "/api/sessions")).status,
        (await call(person, "DELETE", "/api/sessions")).status,
        (await call(person, "DELETE", "/api/sessions/none")).status,
        (await call(person, "PATCH", "/api/profile", {"city": 1, "zip": ""})).status,
        (await call(person, "PATCH", "/api/profile", city, If_Match="old")).status,
        (await call(person, "PATCH", "/api/profile", city, If_Match='"old"')).status,
        (await call(person, "PATCH", "/api/profile", {"city": "x" * LARGEST_BODY})).status,
        (await call(person, "PATCH", "/api/profile", city, Content_Type="text/plain")).status,
        (await call(person, "GET", f"/api/parked-edits/{edit}")).status,
        (await call(person, "GET", "/api/parked-edits/none")).status,
    ]
    assert statuses == [200, 200, 200, 200, 404, 422, 400, 412, 413, 415, 200, 404]

    await person.step_up(parked.body["redirect"])
    statuses = [
        (await call(person, "POST", f"/api/parked-edits/{edit}")).status,
        (await call(person, "DELETE", f"/api/parked-edits/{edit}")).status,
        (await call(person, "PATCH", "/api/profile", city, Idempotency_Key="one")).status,
        (await call(person, "PATCH", "/api/profile", {}, Idempotency_Key="one")).status,
        (await call(person, "POST", "/auth/sign-out")).status,
    ]
    assert statuses == [200, 404, 200, 422, 200]


async def test_U19_events_are_described(make_world: Callable[..., Awaitable[World]]) -> None:
    world = await make_world(stream_limits=LONG, SESSION_IDLE_SECONDS="600", STEP_UP_MAX_AGE_SECONDS="300")
    statuses = [
        (await call(await world.front_end(), "GET", PATH)).status,
        (await call(await world.front_end(), "GET", PATH, X_CSRF="")).status,
        (await call(await world.front_end(), "GET", PATH, Host="elsewhere.example")).status,
    ]
    event_schemas = DOCUMENT["paths"][PATH]["get"]["responses"]["200"]["content"]["text/event-stream"][
        "x-event-data"
    ]
    ada = await world.confirmed()

    heard: list[ReceivedEvent] = []
    async with AsyncExitStack() as pages:
        stream, *_ = [await pages.enter_async_context(listening(ada)) for _ in range(LONG.of_session)]
        statuses.append((await call(ada, "GET", PATH)).status)
        for seconds in (301, 200, 100):
            world.forward(seconds)
            heard.append(await stream.event())

    assert statuses == [401, 403, 421, 429]
    assert {one.event for one in heard} == event_schemas.keys()
    for one in heard:
        assert list(faults(one.data, event_schemas[one.event], DOCUMENT)) == []


async def test_U19_failures_behind_the_gateway_are_described(world: World) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 200})
    person = await world.confirmed()
    await world.admin("PUT", "/faults/graph.get_me", {"status": 503, "times": 20})
    no_graph = await call(person, "GET", "/api/profile")
    await world.admin("PUT", "/faults/token.refresh_token", {"status": 503, "times": 20})
    world.forward(210)  # the token is over, so that its reader waits for another one
    no_authority = await call(person, "GET", "/api/profile")

    assert (no_graph.slug, no_authority.slug) == ("resource-unavailable", "authority-unavailable")
