"""Requests put together by chance: each is answered, none by a fault of ours, and none with a stranger's header."""

import random
from typing import Final

import pytest

from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.raw_http import ask_raw
from tests.stage.witnesses import SESSION
from tests.stage.world import World

REQUESTS: Final = 400
METHODS: Final = ("GET", "GET", "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "GETX")
PLACES: Final = (
    *(
        "/",
        "/api/session",
        "/api/sessions",
        "/api/profile",
        "/api/parked-edits/",
        "/api/session/claims",
        "/api/activity",
    ),
    *(
        "/auth/sign-in",
        "/auth/sign-up",
        "/auth/step-up",
        "/auth/callback",
        "/auth/end-session",
        "/auth/sign-out",
    ),
    *(
        "/auth/frontchannel-logout",
        "/auth/backchannel-logout",
        "/health/live",
        "/health/ready",
        "/api/openapi.json",
    ),
    *(
        "/login",
        "/edit",
        "/profile/",
        "/problem",
        "/css/",
        "/app.js",
        "/.well-known/change-password",
        "/metrics",
    ),
)
BEHIND: Final = (
    *(
        "",
        "",
        "",
        "?",
        "/",
        "/..",
        "%2e%2e",
        "%2f",
        "%00",
        "%0d%0aX-Evil:1",
        "\\",
        ";",
        "//",
        "#",
        "%",
        "x" * 22,
        "?x=1",
    ),
    *(
        "?return_to=//evil.example",
        "?challenge=x",
        "?ticket=x",
        "?sid=x&iss=y",
        "?state=a&code=b",
        "?type=x",
        "?%ff",
    ),
)
NAMES: Final = (
    *(
        "Cookie",
        "X-CSRF",
        "Origin",
        "Content-Type",
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "If-Match",
    ),
    *(
        "If-None-Match",
        "If-Modified-Since",
        "Idempotency-Key",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Forwarded",
    ),
    *(
        "Sec-Fetch-Site",
        "Sec-Fetch-Dest",
        "Sec-Purpose",
        "Authorization",
        "Last-Event-ID",
        "User-Agent",
        "Range",
    ),
    *(
        "client-request-id",
        "X-HTTP-Method-Override",
        "Content-Encoding",
        "Referer",
        "Expect",
        "TE",
        "Upgrade",
    ),
)
VALUES: Final = (
    *(
        "1",
        "",
        "same-origin",
        "cross-site",
        "document",
        "none",
        "text/html",
        "application/json",
        "gzip",
        "de",
        "*",
    ),
    *(
        "application/merge-patch+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a",
        "null",
    ),
    *(
        '"a"',
        'W/"a"',
        "bytes=0-1",
        "é",
        "\udcff",
        "\t",
        "x" * 300,
        "10.0.0.1",
        "Bearer a.b.c",
        "Basic x",
        "a=b; c",
    ),
    *(
        "text/html;charset=\udcff",
        "application/json; charset=utf-7",
        "Thu, 99 Foo 0000",
        ";;;",
        "100-continue",
        "websocket",
    ),
)
BODIES: Final = (
    b"",
    b"{}",
    b'{"city":"Paris"}',
    b"state=a&code=b",
    b"logout_token=a.b.c",
    b"\xff",
    b"[" * 50,
)


def thrown(dice: random.Random, ada: OtherFrontEnd) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Return method, address, fields and body of a request, more often than not one of hers."""
    fields = [(dice.choice(NAMES), dice.choice(VALUES)) for _ in range(dice.randint(0, 4))]
    if dice.random() < 0.7:
        fields.append(("X-CSRF", "1"))
    if dice.random() < 0.6:
        fields.append(("Cookie", f"{SESSION}={ada.cookie()}"))
    body = dice.choice(BODIES)
    fields.append(("Content-Length", str(len(body))))
    return dice.choice(METHODS), dice.choice(PLACES) + dice.choice(BEHIND), fields, body


@pytest.mark.parametrize("chance", [1, 2])
async def test_A8_S49_S50_whatever_a_stranger_sends_is_answered_and_never_by_a_fault_of_ours(
    world: World, chance: int
) -> None:
    ada, dice = await world.signed_in(), random.Random(chance)  # noqa: S311 - nothing is kept secret by it

    for _ in range(REQUESTS):
        sent = thrown(dice, ada)
        answer = await ask_raw(world.gateway_url, *sent)
        assert answer.status not in {500, 502}, sent
        assert "x-evil" not in answer.headers, sent
        assert answer.headers["x-content-type-options"] == "nosniff", sent
        assert all(line.startswith("__Host-Http-") for line in answer.set_cookies), sent


async def test_A8_S49_S50_the_resource_api_answers_whatever_it_is_sent(world: World) -> None:
    ada, dice = await world.signed_in(), random.Random(3)  # noqa: S311 - as above

    for _ in range(REQUESTS):
        method, address, fields, body = thrown(dice, ada)
        path = address.replace("/api/", "/") if dice.random() < 0.5 else f"/profile{dice.choice(BEHIND)}"
        answer = await ask_raw(world.api_url, method, path, fields, body)
        assert answer.status not in {500, 502}, (method, path, fields, body)
        assert "x-evil" not in answer.headers
