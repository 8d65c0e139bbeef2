"""Text of a stranger on its way into a Set-Cookie, another header, a command to Redis: A8, and its brothers."""

import re
from collections.abc import Awaitable, Callable
from itertools import product
from urllib.parse import quote, urlencode, urlsplit

import pytest
from redis.asyncio import Redis

from tests.product.test_callback import answered
from tests.product.test_through_proxies import FORM, flow_cookies
from tests.stage.raw_http import RawAnswer, ask_raw
from tests.stage.witnesses import SESSION
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
CSRF, PAGE = ("X-CSRF", "1"), ("Accept", "text/html")
FLOW = "__Host-Http-flow-"
OURS = re.compile(
    FLOW + r'[A-Za-z0-9_-]{16}=(?:[0-9]{10}\.[A-Za-z0-9_-]{43}|""); [ -~]*HttpOnly; Max-Age=\d+; Path=/; '
    r"SameSite=None; Secure"
)
# Of one flow: 43 signs of a secret under the time at which it began.
VALUE = f"1750000000.{'s' * 43}"

# As they stand in an address: ends of lines, what is no UTF-8, what a terminal or a page would read, bare bytes.
IN_ADDRESSES = (
    "%0d%0aX-Evil:%201",
    "%0aSet-Cookie:%20a=b",
    "%00",
    "%7f",
    "%1b%5b31m",
    "%ff",
    "%ed%a0%80",
    "%E2%80%A8",
    "%22%3Cscript%3E",
    "%",
    "%zz",
    "é",
    "\udcff\udcfe",
    "\udced\udca0\udc80",
    "x" * 5_000,
)
ADDRESSES = (
    "/login?return_to=",
    "/login/?",
    "/EDIT?a=",
    "/.well-known/change-password?",
    "/no-such-page?",
    "/no-such-page/",
    "/problem?type=",
    "/css/",
    "/auth/sign-in?return_to=",
    "/auth/step-up?challenge=",
    "/auth/step-up?return_to=",
    "/auth/end-session?ticket=",
    "/auth/frontchannel-logout?sid=",
    "/auth/frontchannel-logout?iss=",
    "/api/parked-edits/",
    "/api/sessions/",
    "/api/profile?",
)
# As they stand in a header field: bytes that are no UTF-8, text of other scripts, signs with a meaning elsewhere.
IN_FIELDS = (
    "\udcff",
    "\udc80\udc81",
    "\udced\udca0\udc80",
    "\udcc2\udc85",
    "é😀",
    "a\tb",
    '"',
    "\\",
    ",;=",
    "x" * 5_000,
)
FIELDS = (
    *("Cookie", "User-Agent", "X-CSRF", "Accept", "Accept-Language", "Accept-Encoding", "If-Match"),
    *(
        "Idempotency-Key",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "Origin",
        "Sec-Fetch-Site",
        "Sec-Fetch-Dest",
    ),
    *("Content-Type", "Content-Encoding", "Last-Event-ID", "If-None-Match", "Authorization", "Expect"),
    *("client-request-id", "traceparent"),
)
# Whatever a cookie's name may hold after the beginning of ours, and a `http.cookies.CookieError` among them.
NAMES = (
    *(
        "",
        "/",
        "@",
        "(",
        "[",
        "a b",
        "a,b",
        "a\tb",
        '"',
        "\\",
        "$Version",
        "é",
        "\u2000",
        "\udcff",
        "\udced\udca0\udc80",
    ),
    *("x" * 4_000, "x" * 15, "x" * 17, "xxxxxxxx xxxxxxx", "é" * 16),
)


def is_in_order(answer: RawAnswer) -> bool:
    """Tell whether an answer is no fault of ours, and every header of it one that we wrote."""
    location = answer.headers.get("location", "/")
    return (
        answer.status < 500
        and "x-evil" not in answer.headers
        and re.fullmatch(r"[!-~]+", location) is not None
    )


@pytest.fixture
async def patient(make_world: MakeWorld) -> World:
    """A world in which one address may begin as many sign-ins as it likes."""
    return await make_world(JOURNEYS_PER_MINUTE="100000")


async def test_A8_no_text_in_an_address_breaks_an_answer(patient: World) -> None:
    ada = await patient.signed_in()
    cookie = ("Cookie", f"{SESSION}={ada.cookie()}")

    for address, text in product(ADDRESSES, IN_ADDRESSES):
        answer = await ask_raw(patient.gateway_url, "GET", address + text, [CSRF, PAGE, cookie])
        assert is_in_order(answer), (address, text, answer)


async def test_A8_a_query_goes_on_as_it_was_sent(world: World) -> None:
    for sent, goes_on in (
        ("return_to=%2Fedit%3Fa%3Db%26c", "return_to=%2Fedit%3Fa%3Db%26c"),
        ("return_to=%0d%0aX-Evil:%201", "return_to=%0d%0aX-Evil:%201"),
        ("a=b+c%20d", "a=b+c%20d"),
    ):
        answer = await ask_raw(world.gateway_url, "GET", f"/login?{sent}", [PAGE])
        assert (answer.status, answer.headers["location"]) == (302, f"/auth/sign-in?{goes_on}")


async def test_A8_no_text_in_an_address_breaks_the_way_to_our_own_name(world: World) -> None:
    port = urlsplit(world.gateway_url).port

    for text in IN_ADDRESSES:
        answer = await ask_raw(f"http://127.0.0.1:{port}", "GET", f"/auth/sign-in?return_to={text}", [PAGE])
        assert is_in_order(answer), text
        if answer.status != 400:  # bytes that are none of an address are refused by the parser
            ours = f"{world.gateway_url}/auth/sign-in?return_to="
            assert answer.headers["location"].startswith(ours), text


@pytest.mark.parametrize(
    "line",
    ["GET /api/session", "PATCH /api/profile", "GET /auth/sign-in", "GET /no-such-page", "GET /app.js"],
)
async def test_A8_no_text_in_a_header_breaks_an_answer(patient: World, line: str) -> None:
    ada = await patient.signed_in()
    method, path = line.split()
    body = b'{"city": "Paris"}' if method == "PATCH" else b""
    length = [("Content-Length", str(len(body)))] if body else []
    around = [CSRF, *length, ("Cookie", f"{SESSION}={ada.cookie()}")]

    for name, text in product(FIELDS, IN_FIELDS):
        kind = [("Content-Type", "application/json")] if body and name != "Content-Type" else []
        answer = await ask_raw(patient.gateway_url, method, path, [*around, *kind, (name, text)], body)
        assert is_in_order(answer), (name, text, answer)


async def test_A8_no_text_in_the_authoritys_answer_breaks_ours(world: World) -> None:
    kind = ("Content-Type", "application/x-www-form-urlencoded")
    names = ("state", "code", "error", "error_description", "error_subcode", "iss", "session_state", "other")

    for name, text in product(names, IN_ADDRESSES):
        good = {"state": "s" * 43, "error" if name.startswith("error") else "code": "c"}
        body = "&".join(f"{key}={value}" for key, value in {**good, name: text}.items())
        sent = body.encode(errors="surrogateescape")
        fields = [kind, ("Content-Length", str(len(sent)))]
        answer = await ask_raw(world.gateway_url, "POST", "/auth/callback", fields, sent)
        assert is_in_order(answer), (name, text, answer)
        assert answer.status in {303, 400}, (name, text)


@pytest.mark.parametrize("browser", [*IN_FIELDS, "\u2028\u202e", '"}\\'])
async def test_A8_a_browser_of_any_name_signs_in_and_is_shown(world: World, browser: str) -> None:
    person, called = await world.front_end(), ("User-Agent", browser)
    body = urlencode(await answered(person, "/auth/sign-in?return_to=/edit")).encode()
    (flow,) = flow_cookies(person)
    kind = [("Content-Type", FORM), ("Content-Length", str(len(body)))]

    back = await ask_raw(world.gateway_url, "POST", "/auth/callback", [("Cookie", flow), called, *kind], body)

    (cookie,) = [line.partition(";")[0] for line in back.set_cookies if line.startswith(SESSION)]
    for path in ("/api/sessions", "/api/activity", "/api/profile"):
        answer = await ask_raw(world.gateway_url, "GET", path, [("Cookie", cookie), CSRF, called])
        assert answer.status == 200, path


async def test_A8_flow_cookies_of_any_name_begin_a_flow_and_set_none_but_ours(patient: World) -> None:
    for name in NAMES:
        times = 1 if len(name) > 100 else 7
        for value in (VALUE, name.strip(), "1750000000." + "é" * 43, "\u0661" * 10 + VALUE[10:]):
            sent = "; ".join(f"{FLOW}{name}{number}={value}" for number in range(times))
            answer = await ask_raw(patient.gateway_url, "GET", "/auth/sign-in", [("Cookie", sent)])
            assert answer.status == 303, name
            assert answer.headers["location"].startswith(patient.tenant_url), name
            assert all(OURS.fullmatch(line) for line in answer.set_cookies), answer.set_cookies
            (begun,) = [line for line in answer.set_cookies if "Max-Age=600" in line]
            assert VALUE not in begun


async def test_A8_flow_cookies_in_numbers_are_taken_back_a_few_at_a_time(patient: World) -> None:
    """What proxies take of an answer's head, 4 KiB, holds in the worst of cases."""
    begun = [f"{FLOW}{number:016}={1_750_000_000 + number}.{'s' * 43}" for number in range(150)]

    for _ in range(3):
        answer = await ask_raw(patient.gateway_url, "GET", "/auth/sign-in", [("Cookie", "; ".join(begun))])
        dropped = [line.partition("=")[0] for line in answer.set_cookies if "Max-Age=0" in line]
        assert dropped == [line.partition("=")[0] for line in begun[: len(dropped)]], "the oldest"
        assert len(dropped) == 5
        assert len(answer.set_cookies) == 6
        assert all(OURS.fullmatch(line) for line in answer.set_cookies)
        assert sum(len(name) + len(value) for name, value in answer.headers.items()) < 4_096 - 6 * 200
        begun = begun[len(dropped) :]


async def seen_by(redis: "Redis", asked: Awaitable[RawAnswer]) -> bytes:
    """Return all that Valkey was told while something was asked."""
    async with redis.monitor() as monitor:
        await asked
        await redis.ping()
        heard = ""
        async for command in monitor.listen():
            if command["command"] == "PING":
                return heard.encode(errors="surrogateescape")
            heard += command["command"] + "\n"
    raise AssertionError("the monitor has ended")


async def test_A8_redis_is_never_told_what_a_stranger_wrote(world: World) -> None:
    ada = await world.signed_in()
    mark = "MARK-of-a-stranger"
    cookie = ("Cookie", f"{SESSION}={ada.cookie()}; {FLOW}{mark}={VALUE}; {FLOW}{'m' * 16}={VALUE}{mark}")
    patch = [("Content-Type", "application/json"), ("Idempotency-Key", mark), ("If-Match", f'"{mark}"')]
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = f"state={mark}&code={mark}&session_state={mark}".encode()
    requests = [
        ("GET", f"/auth/sign-in?return_to=/{mark}", [], b""),
        ("GET", f"/auth/step-up?challenge={mark}&return_to=/{mark}", [], b""),
        ("GET", f"/auth/end-session?ticket={mark}", [], b""),
        ("GET", f"/auth/frontchannel-logout?sid={mark}", [], b""),
        ("GET", f"/api/parked-edits/{mark}", [], b""),
        ("POST", f"/api/parked-edits/{mark}", [], b""),
        ("DELETE", f"/api/parked-edits/{mark}", [], b""),
        ("DELETE", f"/api/sessions/{mark}", [], b""),
        ("PATCH", "/api/profile", patch, f'{{"city": "{mark}"}}'.encode()),
        ("POST", "/auth/callback", form, answer),
        ("POST", "/auth/sign-out", [("User-Agent", mark), ("X-Request-Id", mark)], b""),
    ]

    for method, path, fields, body in requests:
        sent = [CSRF, cookie, *fields, ("Content-Length", str(len(body)))]
        told = await seen_by(world.redis, ask_raw(world.gateway_url, method, path, sent, body))
        assert mark.encode() not in told, (method, path, told)


@pytest.mark.parametrize("text", IN_FIELDS)
async def test_A8_no_text_in_a_header_breaks_an_answer_of_the_resource_api(world: World, text: str) -> None:
    for name in (
        "Authorization",
        "If-Match",
        "Content-Type",
        "client-request-id",
        "Expect",
        "Host",
        "Cookie",
    ):
        for value in (text, f"Bearer {text}", f"Bearer {quote(text.encode(errors='surrogateescape'))}"):
            answer = await ask_raw(
                world.api_url, "PATCH", "/profile", [("Content-Length", "2"), (name, value)], b"{}"
            )
            assert is_in_order(answer), (name, value, answer)
