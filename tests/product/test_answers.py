"""What every answer says about itself (S53, S54), and what an unexpected one does not say (S55)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from gateway.app import create_app
from gateway.edge.guard import ROUTE_TABLE, RequestKind, Route
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.witnesses import ask, paths_of
from tests.stage.world import PATIENT, World, gateway_settings, served

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
# The authority's sign-out page shows this one in a frame.
FRAMED = "/auth/frontchannel-logout"


@asynccontextmanager
async def alone(app: web.Application) -> AsyncIterator[str]:
    """Serve a gateway with nobody around it, and give its address."""
    port = free_port()
    async with served(app, port, "localhost"):
        yield f"http://localhost:{port}"


def judge(answer: Answer, path: str) -> None:
    """Assert that an answer has every security header."""
    framed = path.startswith(FRAMED) and answer.status == 200
    for name, value in ALWAYS.items():
        if framed and name in {"Content-Security-Policy", "X-Frame-Options", "Cross-Origin-Resource-Policy"}:
            continue
        assert answer.headers.get(name) == value, (path, answer.status, name)
    assert "Server" not in answer.headers, path
    assert "X-Powered-By" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Strict-Transport-Security" not in answer.headers, "it would be ignored on plain http"


async def test_S53_every_route_answers_with_every_header_whatever_the_status(world: World) -> None:
    ada, stranger = await world.signed_in(), await world.front_end()
    met: dict[int, int] = {}

    for person in (stranger, ada):
        for method, path in paths_of(world, *RequestKind):
            if (person, path) == (ada, "/auth/sign-out"):
                continue
            for headers in (
                {"X-CSRF": "1"},
                {},
                {"X-CSRF": "1", "Accept": "text/html"},
                {"Host": "evil.example"},
            ):
                answer = await ask(person, method, path, headers)
                judge(answer, path)
                met[answer.status] = met.get(answer.status, 0) + 1

    assert {200, 303, 401, 403, 404, 415, 421} <= {*met}, met


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
async def test_S53_unknown_addresses_and_methods_have_them_too(world: World, accept: str) -> None:
    person = await world.front_end()

    for method, path, status in (
        ("GET", "/nowhere", 404),
        ("GET", "/api/nowhere", 404),
        ("GET", "/auth/nowhere", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/app.js/", 404),
        ("GET", "//evil.example", 404),
        ("POST", "/nowhere", 404),
        ("PUT", "/", 405),
        ("DELETE", "/api/session", 405),
        ("TRACE", "/", 405),
    ):
        answer = await ask(person, method, path, {"Accept": accept})
        assert answer.status == status, (method, path)
        judge(answer, path)
        assert answer.headers["Cache-Control"] == "no-store"
        page = status == 404 and accept == "text/html" and method == "GET"
        assert answer.headers["Content-Type"].startswith("text/html" if page else "application/problem+json")


async def test_S53_the_front_channel_page_may_be_framed_by_the_authority_alone(world: World) -> None:
    person = await world.front_end()

    answer = await ask(
        person, "GET", f"{FRAMED}?sid=unknown", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}
    )

    judge(answer, FRAMED)
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors ")
    assert {*policy.partition("frame-ancestors ")[2].split()} == {
        world.tenant_url,
        "https://stepuplocal.ciamlogin.com",
    }
    assert "X-Frame-Options" not in answer.headers


async def test_S53_over_https_browsers_are_told_to_stay_there(valkey: str) -> None:
    app = create_app(
        gateway_settings(PUBLIC_URL="https://profile.example.com", REDIS_URL=valkey), redis_limits=PATIENT
    )
    async with alone(app) as url, OtherFrontEnd.open(url, url) as person:
        strict = (await person.navigate("/")).headers["Strict-Transport-Security"]

    assert strict == "max-age=63072000; includeSubDomains"


async def test_S54_nothing_is_stored_but_files_which_are_asked_for_again_or_of_one_build(
    world: World,
) -> None:
    ada = await world.signed_in()

    for method, path in paths_of(world, *RequestKind):
        if path == "/auth/sign-out":
            continue
        answer = await ask(ada, method, path, {"X-CSRF": "1"})
        a_file = (method, path) in paths_of(world, RequestKind.PUBLIC) and not path.startswith(
            ("/api/", "/health/")
        )
        kept = "public, max-age=31536000, immutable" if path.startswith("/assets/") else "no-cache"
        assert answer.headers["Cache-Control"] == (kept if a_file else "no-store"), path


async def test_S54_an_unchanged_file_is_not_sent_again(world: World) -> None:
    person = await world.front_end()
    first = await ask(person, "GET", "/app.js", {})

    again = await ask(person, "GET", "/app.js", {"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.text) == (304, "")
    judge(again, "/app.js")


SECRET_TEXT = "redis://:hunter2@10.0.0.1 at /srv/stepup/gateway/authority/tokens.py eyJhbGciOi"


async def _failing(_request: web.Request) -> web.Response:
    raise RuntimeError(SECRET_TEXT) from ValueError(SECRET_TEXT)


async def _forbidding(_request: web.Request) -> web.Response:
    raise web.HTTPForbidden(text=SECRET_TEXT, headers={"X-Told": SECRET_TEXT})


@pytest.mark.parametrize(
    "kind", [RequestKind.JSON, RequestKind.NAVIGATION, RequestKind.CALLBACK, RequestKind.PUBLIC]
)
async def test_S55_an_unexpected_error_tells_a_reference_and_nothing_else(
    valkey: str, kind: RequestKind, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(gateway_settings(REDIS_URL=valkey), redis_limits=PATIENT)
    app[ROUTE_TABLE].add(app, [Route("GET", "/failing", _failing, kind)])
    async with alone(app) as url, OtherFrontEnd.open(url, url) as person:
        answer = await person.call("GET", "/failing")

    judge(answer, "/failing")
    if kind in {RequestKind.NAVIGATION, RequestKind.CALLBACK}:
        where, _, reference = answer.headers["Location"].partition("&reference=")
        assert (answer.status, where, answer.text) == (303, "/problem?type=internal-error", "")
    else:
        assert (answer.status, answer.slug) == (500, "internal-error")
        assert {*answer.body} == {"type", "title", "status", "reference"}
        reference = answer.body["reference"]
    logged = caplog.text + str([vars(record) for record in caplog.records])
    assert reference in logged, "the log can be searched for it"
    assert "_failing" in logged, "and says where"
    for piece in (
        "hunter2",
        "10.0.0.1",
        "/srv/stepup/gateway/authority",
        "authority/tokens.py",
        "eyJhbGciOi",
    ):
        assert piece not in answer.text + str(answer.headers)
        assert piece not in logged, "not even the log quotes an exception"


async def test_S55_a_refusal_of_the_framework_does_not_quote_either(valkey: str) -> None:
    app = create_app(gateway_settings(REDIS_URL=valkey), redis_limits=PATIENT)
    app[ROUTE_TABLE].add(app, [Route("GET", "/forbidding", _forbidding, RequestKind.PUBLIC)])
    async with alone(app) as url, OtherFrontEnd.open(url, url) as person:
        answer = await person.call("GET", "/forbidding")

    assert (answer.status, answer.slug) == (403, "forbidden")
    assert "hunter2" not in answer.text + str(answer.headers)


async def test_S55_unknown_and_foreign_things_look_alike(world: World) -> None:
    ada, other = await world.signed_in(), await world.signed_in()
    parked = (await ada.call("PATCH", "/api/profile", {"city": "Paris"})).body["parked_edit"]["id"]

    answers = [
        await other.call(method, f"/api/parked-edits/{identifier}")
        for method in ("GET", "POST", "DELETE")
        for identifier in (parked, "x" * 22, "x", "*", "x" * 500)
    ]

    bodies = [
        {name: value for name, value in answer.body.items() if name != "reference"} for answer in answers
    ]
    assert all(answer.status == 404 for answer in answers)
    assert all(body == bodies[0] for body in bodies)
    assert (await ada.call("GET", f"/api/parked-edits/{parked}")).status == 200, "it is still there"
