"""The authority's answer, sent again by its browser: by a second click, or by a reload while nothing has come back."""

import asyncio
from http.cookies import SimpleCookie

from gateway.flows.arrivals import KEPT_SECONDS
from tests.product.test_callback import answered, problem_of, sent
from tests.product.test_through_proxies import come_back, flow_cookies
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.raw_http import RawAnswer
from tests.stage.witnesses import SESSION
from tests.stage.world import World


def held_by(person: OtherFrontEnd) -> list[tuple[str, str]]:
    """Return the header of a browser that got no response yet, and so keeps the flow's cookie."""
    return [("Cookie", cookie) for cookie in flow_cookies(person)]


def altered(cookie: str) -> str:
    """Return a cookie with another value, whatever letters it has by chance."""
    name, _, value = cookie.partition("=")
    return f"{name}={'B' if value.startswith('A') else 'A'}{value[1:]}"


def session_set_by(response: RawAnswer) -> str:
    """Return the session that a response gives the browser."""
    (line,) = [line for line in response.set_cookies if line.startswith(SESSION)]
    return SimpleCookie(line)[SESSION].value


async def test_D6_a_second_click_is_answered_as_the_first(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")

    ways = await asyncio.gather(*(come_back(world, answer, held_by(person)) for _ in range(5)))

    assert {way.headers["location"] for way in ways} == {"/edit"}
    assert len({session_set_by(way) for way in ways}) == 1
    assert await world.asked("token.authorization_code") == 1


async def test_D6_an_answer_whose_response_was_lost_can_be_sent_again_for_a_minute(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")
    fields = held_by(person)
    lost = await come_back(world, answer, fields)

    again = await come_back(world, answer, fields)
    world.forward(KEPT_SECONDS + 1)
    late = await come_back(world, answer, fields)

    assert (again.status, again.headers["location"]) == (303, "/edit")
    assert session_set_by(again) == session_set_by(lost)
    assert problem_of(late.headers["location"]) == "sign-in-expired"
    assert await world.asked("token.authorization_code") == 1


async def test_D6_nothing_is_shared_with_another_answer_or_another_browser(world: World) -> None:
    person, stranger = await world.front_end(), await world.front_end()
    answer = await answered(person)
    fields = held_by(person)
    assert (await come_back(world, answer, fields)).headers["location"] == "/"

    for other, sent_fields in (
        ({**answer, "code": "another"}, fields),
        ({**answer, "session_state": "another"}, fields),
        (answer, []),
        (answer, [(name, altered(cookie)) for name, cookie in fields]),
    ):
        refused = await come_back(world, other, sent_fields)
        assert problem_of(refused.headers["location"]) == "sign-in-expired"
    assert problem_of(await sent(stranger, answer)) == "sign-in-expired"
    assert problem_of(await sent(person, {**answer, "code": "another"})) == "sign-in-expired"


async def test_D6_an_answer_that_failed_is_judged_anew(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)
    fields = held_by(person)
    await world.admin("PUT", "/faults/token.authorization_code", {"status": 503, "times": 1})

    ways = [problem_of((await come_back(world, answer, fields)).headers["location"]) for _ in range(2)]

    assert ways == ["authority-unavailable", "sign-in-expired"]
