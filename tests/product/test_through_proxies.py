"""What proxies make of a request on its way: cookies in several fields, bodies in chunks, questions before a body."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import pytest

from servicekit.http.bodies import LARGEST_BODY
from tests.product.test_callback import answered, problem_of
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.raw_http import RawAnswer, ask_raw, chunks
from tests.stage.witnesses import SESSION
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
FORM = "application/x-www-form-urlencoded"
CHUNKED = ("Transfer-Encoding", "chunked")
CSRF = ("X-CSRF", "1")


def fields_around(ours: str) -> dict[str, list[tuple[str, str]]]:
    """Return the header's fields in which our cookies may come."""
    return {
        "one field": [("Cookie", ours)],
        "behind a sibling's": [("Cookie", "a=1"), ("Cookie", ours)],
        "before a sibling's": [("Cookie", ours), ("Cookie", "a=1")],
        "small letters": [("cookie", "a=1"), ("cookie", ours)],
        "mixed letters": [("Cookie", "a=1"), ("COOKIE", ours)],
        "between two": [("Cookie", "a=1"), ("Cookie", ours), ("Cookie", "b=2")],
        "one of them empty": [("Cookie", ""), ("Cookie", ours), ("Cookie", "")],
        "behind a quotation mark": [("Cookie", 'a="1'), ("Cookie", f'{ours}; b="')],
        "in a foreign quotation": [("Cookie", f'a="1; {ours}; b="')],
    }


def flow_cookies(person: OtherFrontEnd) -> list[str]:
    """Return the cookies of a person's flows, as a browser sends them."""
    return [f"{c.key}={c.value}" for c in person.session.cookie_jar if "flow" in c.key]


async def come_back(world: World, answer: dict[str, str], fields: list[tuple[str, str]]) -> RawAnswer:
    """Send the authority's answer with these fields beside it."""
    body = urlencode(answer).encode()
    beside = [("Content-Type", FORM), ("Content-Length", str(len(body)))]
    return await ask_raw(world.gateway_url, "POST", "/auth/callback", [*fields, *beside], body)


async def test_X1_a_session_is_found_in_whatever_fields_its_cookie_comes(world: World) -> None:
    ada = await world.signed_in()

    for what, fields in fields_around(f"{SESSION}={ada.cookie()}").items():
        answer = await ask_raw(world.gateway_url, "GET", "/api/session", [CSRF, *fields])
        assert b'"authenticated": true' in answer.body, what


async def test_X1_a_sign_in_ends_well_in_whatever_fields_its_cookie_comes(world: World) -> None:
    for what in fields_around(""):
        person = await world.front_end()
        answer = await answered(person, "/auth/sign-in?return_to=/edit")
        (cookie,) = flow_cookies(person)

        response = await come_back(world, answer, fields_around(cookie)[what])

        assert (response.status, response.headers["location"]) == (303, "/edit"), what
        assert response.headers["set-cookie"], what


async def test_X1_two_sessions_in_two_fields_are_none(world: World) -> None:
    ada, other = await world.signed_in(), await world.signed_in()

    answer = await ask_raw(
        world.gateway_url,
        "GET",
        "/api/session",
        [CSRF, ("Cookie", f"{SESSION}={ada.cookie()}"), ("Cookie", f"{SESSION}={other.cookie()}")],
    )

    assert b'"authenticated": false' in answer.body


KINDS = [FORM, f"{FORM}; charset=UTF-8", FORM.upper(), f"{FORM};charset=utf-8 ; x=y"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "more",
    [{}, {"extension": ";a=b"}, {"extension": ';a="b c"'}, {"trailers": [("X-Sum", "1")]}],
    ids=["plain", "with an extension", "with a quoted extension", "with a trailer"],
)
async def test_X2_the_authoritys_form_may_come_in_chunks(
    world: World, kind: str, more: dict[str, str]
) -> None:
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")
    body = urlencode(answer).encode()
    (cookie,) = flow_cookies(person)

    response = await ask_raw(
        world.gateway_url,
        "POST",
        "/auth/callback",
        [("Cookie", cookie), ("Content-Type", kind), CHUNKED],
        chunks(body[:7], body[7:100], body[100:], **more),  # type: ignore[arg-type] # one of two
    )

    assert (response.status, response.headers["location"]) == (303, "/edit")


async def test_X2_a_form_in_chunks_is_bounded(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)
    (cookie,) = flow_cookies(person)
    fields = [("Cookie", cookie), ("Content-Type", FORM), CHUNKED]
    larger = urlencode({**answer, "pad": "x" * LARGEST_BODY}).encode()

    response = await ask_raw(
        world.gateway_url, "POST", "/auth/callback", fields, chunks(larger[:9_000], larger[9_000:])
    )

    assert problem_of(response.headers["location"]) == "sign-in-failed"
    assert (await come_back(world, answer, fields[:1])).headers["location"] == "/", "the flow was not spent"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "identity", "made-up"])
async def test_X2_a_compressed_form_is_refused(world: World, encoding: str) -> None:
    person = await world.front_end()
    answer = await answered(person)
    body = urlencode(answer).encode()

    for sent in (body, gzip.compress(body)):
        response = await ask_raw(
            world.gateway_url,
            "POST",
            "/auth/callback",
            [("Content-Type", FORM), ("Content-Encoding", encoding), ("Content-Length", str(len(sent)))],
            sent,
        )
        assert problem_of(response.headers["location"]) == "sign-in-failed"


async def test_X2_who_asks_before_the_form_is_told_to_go_on(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")
    (cookie,) = flow_cookies(person)

    response = await come_back(world, answer, [("Cookie", cookie), ("Expect", "100-continue")])

    assert (response.interim, response.status, response.headers["location"]) == ([100], 303, "/edit")


async def test_X2_a_change_may_come_in_chunks_and_is_bounded(world: World) -> None:
    ada = await world.confirmed()
    fields = [("Cookie", f"{SESSION}={ada.cookie()}"), CSRF, ("Content-Type", "application/json"), CHUNKED]

    async def patch(*pieces: bytes) -> RawAnswer:
        body = chunks(*pieces, extension=";a=b", trailers=[("X-Sum", "1")])
        return await ask_raw(world.gateway_url, "PATCH", "/api/profile", fields, body)

    saved = await patch(b'{"city": ', b'"Paris"}')
    assert saved.status == 200
    assert b'"city": "Paris"' in saved.body
    assert (await patch(b'{"city": "', b"x" * LARGEST_BODY, b'"}')).status == 413
    assert (await patch()).status == 400, "nothing at all"


async def test_X2_the_resource_api_reads_chunks_and_is_bounded(world: World) -> None:
    """Without a token: the body is not looked at, and the answer comes all the same."""
    fields = [("Content-Type", "application/json"), CHUNKED]

    answers = await asyncio.gather(
        *(
            ask_raw(world.api_url, "PATCH", "/profile", fields, chunks(b"x" * size, extension=";a=b"))
            for size in (2, LARGEST_BODY + 1)
        )
    )

    assert [answer.status for answer in answers] == [401, 401]


async def test_X2_a_logout_token_may_come_in_chunks_and_is_bounded(make_world: MakeWorld) -> None:
    world = await make_world(BACKCHANNEL_LOGOUT="1")
    fields = [("Content-Type", f"{FORM};charset=utf-8"), CHUNKED]

    async def sent(body: bytes) -> RawAnswer:
        return await ask_raw(
            world.gateway_url, "POST", "/auth/backchannel-logout", fields, chunks(body[:4], body[4:])
        )

    judged = await sent(b"logout_token=a.b.c")
    assert (judged.status, b"The logout token cannot be accepted" in judged.body) == (400, True)
    assert (await sent(b"logout_token=" + b"x" * LARGEST_BODY)).status == 413
