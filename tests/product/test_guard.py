"""Who may call what (S23, S25, S26, S48): refused before a session is read or anybody is asked."""

from urllib.parse import quote

from gateway.app import create_app
from gateway.edge.guard import ROUTE_TABLE, RequestKind
from gateway.endpoints.health import live
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.witnesses import ask, asked_in_all, commands, forget_commands, paths_of
from tests.stage.world import PATIENT, World, gateway_settings, served

FORGERIES: dict[str, dict[str, str]] = {
    "no header": {},
    "no header, from our own page": {"Sec-Fetch-Site": "same-origin"},
    "another value": {"X-CSRF": "0"},
    "two values": {"X-CSRF": "1, 1"},
    "an empty value": {"X-CSRF": ""},
    "a sibling": {"X-CSRF": "1", "Sec-Fetch-Site": "same-site"},
    "a stranger": {"X-CSRF": "1", "Sec-Fetch-Site": "cross-site"},
    "a typed address": {"X-CSRF": "1", "Sec-Fetch-Site": "none"},
    "an unknown relation": {"X-CSRF": "1", "Sec-Fetch-Site": "friendly"},
    "an empty relation": {"X-CSRF": "1", "Sec-Fetch-Site": ""},
    "an opaque origin": {"X-CSRF": "1", "Origin": "null"},
    "a foreign origin": {"X-CSRF": "1", "Origin": "https://evil.example"},
    "a foreign origin that looks like ours": {"X-CSRF": "1", "Origin": "http://localhost.evil.example"},
    "our host on another port": {"X-CSRF": "1", "Origin": "http://localhost:1"},
    "our host over another scheme": {"X-CSRF": "1", "Origin": "https://localhost"},
    "a stranger with our origin": {"X-CSRF": "1", "Sec-Fetch-Site": "cross-site", "Origin": "OURS"},
    "a plain form": {"Content-Type": "application/x-www-form-urlencoded", "Origin": "OURS"},
    "a plain text form": {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site"},
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")


async def test_S23_every_json_route_refuses_every_forged_request_before_anything_is_read(
    world: World,
) -> None:
    ada = await world.confirmed()
    routes, streams = paths_of(world, RequestKind.JSON), paths_of(world, RequestKind.EVENTS)
    assert len(routes) >= 11
    assert ("PATCH", "/api/profile") in routes
    assert streams == [("GET", "/api/session/events")]
    before = await asked_in_all(world)
    await forget_commands(world.redis)

    for method, path in [*routes, *streams]:
        for what, forgery in FORGERIES.items():
            if what == "no header, from our own page" and (method, path) in streams:
                continue  # EventSource can send none, and a page of another origin cannot say that it is ours
            headers = {name: value.replace("OURS", world.gateway_url) for name, value in forgery.items()}
            answer = await ask(ada, method, path, headers)
            assert answer.status == 403, (method, path, what)
            assert answer.headers["Content-Type"].startswith("application/problem+json")
            if method != "HEAD":
                assert answer.slug == "cross-origin-refused", (method, path, what)
            assert "Set-Cookie" not in answer.headers

    assert await commands(world.redis) == 0
    assert await asked_in_all(world) == before
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is True


async def test_S23_our_own_pages_and_programs_are_let_through(world: World) -> None:
    ada = await world.signed_in()

    for headers in (
        {"X-CSRF": "1"},
        {"X-CSRF": "1", "Sec-Fetch-Site": "same-origin"},
        {"X-CSRF": "1", "Sec-Fetch-Site": "same-origin", "Origin": world.gateway_url},
        {"X-CSRF": "1", "Origin": world.gateway_url},
    ):
        assert (await ask(ada, "GET", "/api/profile", headers)).status == 200, headers


async def test_S23_a_route_without_a_kind_is_refused(valkey: str) -> None:
    app = create_app(gateway_settings(REDIS_URL=valkey), redis_limits=PATIENT)
    app.router.add_get("/smuggled", live)
    port = free_port()

    async with (
        served(app, port, "localhost"),
        OtherFrontEnd.open(f"http://localhost:{port}", "http://127.0.0.1:1") as person,
    ):
        assert (await person.call("GET", "/smuggled")).slug == "cross-origin-refused"


async def test_S23_every_route_of_the_router_has_a_kind(world: World) -> None:
    assert {*world.app.router.routes()} == {route for route, _ in world.app[ROUTE_TABLE]}


async def test_S24_no_origin_is_given_leave_to_read_our_answers(world: World) -> None:
    ada = await world.signed_in()
    ours = world.gateway_url

    for origin in (
        "null",
        "*",
        "https://evil.example",
        f"{ours}.evil.example",
        f"{ours}0",
        ours.upper(),
        f"{ours}.",
        ours,
    ):
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "x-csrf,content-type",
            "Access-Control-Request-Private-Network": "true",
        }
        preflight = await ask(ada, "OPTIONS", "/api/profile", headers)
        assert preflight.status == 405, origin
        answer = await ask(ada, "GET", "/api/profile", {"Origin": origin, "X-CSRF": "1"})
        assert answer.status == (200 if origin == ours else 403), origin
        for response in (preflight, answer):
            assert not [name for name in response.headers if name.lower().startswith("access-control-")]


async def test_S24_no_route_answers_a_preflight_or_lets_another_origin_read_it(world: World) -> None:
    ada = await world.signed_in()
    routes = [*paths_of(world, *RequestKind), ("GET", "/no-such-page")]
    assert len(routes) > 60

    for method, path in routes:
        asks = {"Origin": "https://evil.example", "Sec-Fetch-Mode": "cors", "X-CSRF": "1"}
        preflight = await ask(ada, "OPTIONS", path, {**asks, "Access-Control-Request-Method": method})
        assert preflight.status in {404, 405}, (method, path)
        for response in (preflight, await ask(ada, method, path, asks)):
            told = {name.lower() for name in response.headers}
            assert not [name for name in told if name.startswith("access-control-")], (method, path)
            assert "timing-allow-origin" not in told
            if path != "/auth/frontchannel-logout":  # which the authority's page frames
                assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin", (method, path)


async def test_S26_every_undeclared_method_on_every_route_is_refused_with_what_is_allowed(
    world: World,
) -> None:
    ada = await world.confirmed()
    declared: dict[str, set[str]] = {}
    for method, path in paths_of(world, *RequestKind):
        declared.setdefault(path, set()).add(method)
    assert len(declared) > 40
    await forget_commands(world.redis)

    for path, allowed in declared.items():
        for method in {*METHODS} - allowed:
            answer = await ask(ada, method, path, {"X-CSRF": "1"})
            assert answer.status == 405, (method, path)
            assert {*answer.headers["Allow"].replace(" ", "").split(",")} == allowed, (method, path)
            if method != "HEAD":
                assert answer.slug == "method-not-allowed"

    assert await commands(world.redis) == 0


async def test_S26_no_header_overrides_the_method(world: World) -> None:
    ada = await world.signed_in()

    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = await ask(ada, "POST", "/api/profile", {"X-CSRF": "1", name: "PATCH"})
        assert answer.status == 405


async def test_S26_head_answers_as_get_without_a_body(world: World) -> None:
    ada = await world.signed_in()
    of_the_moment = {"Date", "Location", "Set-Cookie", "Content-Length", "client-request-id"}
    # Where HEAD is refused: it would begin a flow, or a stream without a body.
    refused = {path for _, path in paths_of(world, RequestKind.NAVIGATION, RequestKind.EVENTS)}

    for method, path in paths_of(world, *RequestKind):
        if method != "GET" or path in refused or path == "/api/parked-edits/{id}":
            continue
        response = await ask(ada, "GET", path, {"X-CSRF": "1"})
        head = await ask(ada, "HEAD", path, {"X-CSRF": "1"})
        assert head.text == "", path
        assert head.status == response.status, path
        for name in {*response.headers} - of_the_moment:
            assert head.headers.get(name) == response.headers[name], (path, name)


async def test_S48_another_host_is_not_us(world: World) -> None:
    ada = await world.signed_in()
    await forget_commands(world.redis)

    for method, path in paths_of(
        world, RequestKind.JSON, RequestKind.EVENTS, RequestKind.NAVIGATION, RequestKind.CALLBACK
    ):
        for host in (
            "evil.example",
            "localhost.evil.example",
            "evil.example:3000",
            "127.0.0.1.evil.example",
        ):
            answer = await ask(ada, method, path, {"Host": host, "X-CSRF": "1"})
            assert answer.status == 421, (method, path, host)

    assert await commands(world.redis) == 0


NO_HOSTS = ["[", "[::1", "]", "localhost:port", "localhost:99999999", "%", "a b", "x@y", "localhost/x"]


async def test_A8_S48_a_host_that_is_none_is_refused_on_every_route_and_no_fault_of_ours(
    world: World,
) -> None:
    person = await world.front_end()
    await forget_commands(world.redis)

    for method, path in paths_of(world, *RequestKind):
        for host in (*NO_HOSTS, "evil@localhost"):
            answer = await ask(person, method, path, {"Host": host, "X-CSRF": "1"})
            assert answer.status == 400, (method, path, host)
    assert await commands(world.redis) == 0


async def test_S48_an_empty_host_is_not_us(world: World) -> None:
    person = await world.front_end()

    assert (await ask(person, "GET", "/api/session", {"Host": "", "X-CSRF": "1"})).status == 421


async def test_S48_forwarding_headers_change_nothing(world: World) -> None:
    person = await world.front_end()
    evil = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Uri": "/health/live",
        "X-Original-URL": "/health/live",
        "X-Rewrite-URL": "/health/live",
        "Forwarded": "host=evil.example;proto=https",
        "X-Forwarded-Prefix": "/evil",
    }

    plain = await person.navigate("/auth/sign-in")
    forwarded = await ask(person, "GET", "/auth/sign-in", evil)

    ours = quote(f"{world.gateway_url}/auth/callback", safe="")
    assert f"redirect_uri={ours}" in plain.headers["Location"]
    assert f"redirect_uri={ours}" in forwarded.headers["Location"]
    assert "evil" not in str(forwarded.headers)
    assert (await ask(person, "GET", "/api/profile", {**evil, "X-CSRF": "1"})).status == 401


async def test_S25_nothing_personal_is_behind_a_public_route(world: World) -> None:
    ada = await world.signed_in()
    stranger = await world.front_end()
    await forget_commands(world.redis)

    for method, path in paths_of(world, RequestKind.PUBLIC):
        if not path.startswith("/health"):
            answer = await ask(ada, method, path, {"Sec-Fetch-Site": "cross-site"})
            assert answer.text == (await ask(stranger, method, path, {})).text
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"

    assert await commands(world.redis) == 0, "no session is looked at"
