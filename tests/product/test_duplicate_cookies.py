"""A1: a session that a stranger planted is never taken for the person's own, and whoever has two is told what to do."""

import json

import pytest

from gateway.flows.logout import MOST_COOKIES
from gateway.session.cookie import SessionCookie
from tests.product.test_callback import answered
from tests.product.test_through_proxies import come_back, flow_cookies
from tests.stage.other_front_end import ADA, GRACE, OtherFrontEnd
from tests.stage.raw_http import RawAnswer, ask_raw
from tests.stage.witnesses import SESSION
from tests.stage.world import World

CSRF, PAGE = ("X-CSRF", "1"), ("Accept", "text/html")
FORGET = '"cookies"'


async def signed_in_as(world: World, who: tuple[str, str]) -> OtherFrontEnd:
    person = await world.front_end()
    assert await person.sign_in(who) == "/edit"
    return person


async def asked_with(world: World, cookies: str, path: str = "/api/session") -> RawAnswer:
    return await ask_raw(world.gateway_url, "GET", path, [CSRF, ("Cookie", cookies)])


async def signed_out_with(world: World, cookies: list[str]) -> RawAnswer:
    sent = "; ".join(f"{SESSION}={cookie}" for cookie in cookies)
    fields = [CSRF, ("Cookie", sent), ("Content-Length", "0")]
    return await ask_raw(world.gateway_url, "POST", "/auth/sign-out", fields)


async def lives(world: World, cookie: str) -> bool:
    """Tell whether the session of a cookie can still be used."""
    return (await asked_with(world, f"{SESSION}={cookie}", "/api/profile")).status == 200


# What a browser sends for what a sibling planted; `{}` is the planted session's cookie.
PLANTED = {
    "white space ends no pair": "x=1 {name}={cookie}",
    "a tab ends no pair": "x=1\t{name}={cookie}",
    "a wide blank in front": "\u2000{name}={cookie}",
    "a no-break space in front": "\u00a0{name}={cookie}",
    "an ideographic blank in front": "\u3000{name}={cookie}",
    "a line separator in front": "\u2028{name}={cookie}",
    "latin-1 in front": "\udca0{name}={cookie}",
    "in a quotation": 'x="1; {name}="{cookie}"',
    "a comma": "x=1, {name}={cookie}",
    "a version": "$Version=1, {name}={cookie}",
    "small letters": "__host-http-session={cookie}",
    "capital letters": "__HOST-HTTP-SESSION={cookie}",
    "another prefix": "__Host-session={cookie}",
    "the value in quotes": '{name}="{cookie}"',
    "the name in quotes": '"{name}"={cookie}',
    "an encoded name": "%5F%5FHost-Http-session={cookie}",
    "a nameless cookie": "=x {name}={cookie}",
    "two equals signs": "{name}=={cookie}",
    "an underscore for a hyphen": "__Host_Http_session={cookie}",
}

# For a browser these are cookies of our name.
TWICE = {"in a quotation", "the value in quotes", "two equals signs"}


@pytest.mark.parametrize("what", PLANTED)
async def test_A1_S12_a_planted_session_makes_nobody_somebody_else(world: World, what: str) -> None:
    mallory, ada = await signed_in_as(world, GRACE), await signed_in_as(world, ADA)
    planted = PLANTED[what].format(name=SESSION, cookie=mallory.cookie())
    own = f"{SESSION}={ada.cookie()}"

    alone = await asked_with(world, planted)
    assert (alone.status, json.loads(alone.body)["authenticated"]) == (200, False)
    for sent in (f"{planted}; {own}", f"{own}; {planted}"):
        answer = json.loads((await asked_with(world, sent)).body)
        if what in TWICE:
            assert answer["reason"] == "duplicate-cookie"
        else:
            assert answer["user"]["username"] == ADA[0], sent


@pytest.mark.parametrize("foreign", ['x="', '"', 'x="a', 'x="\\', "x={", "$Path=/", "x=[1, 2"])
async def test_A1_S12_a_foreign_cookie_signs_nobody_out(world: World, foreign: str) -> None:
    ada = await world.signed_in()

    for sent in (f"{foreign}; {SESSION}={ada.cookie()}", f"{SESSION}={ada.cookie()}; {foreign}"):
        assert b'"authenticated": true' in (await asked_with(world, sent)).body


async def test_A1_S12_thousands_of_foreign_cookies_hide_nothing(world: World) -> None:
    ada = await world.signed_in()
    tiny = "; ".join(["a=1"] * 2_500)

    for sent in (f"{tiny}; {SESSION}={ada.cookie()}", f"{SESSION}={ada.cookie()}; {tiny}"):
        assert b'"authenticated": true' in (await asked_with(world, sent)).body


async def test_A1_S12_a_name_of_ours_twice_is_no_name_and_the_answer_says_what_to_do(world: World) -> None:
    ada, mallory = await signed_in_as(world, ADA), await signed_in_as(world, GRACE)
    both = [ada.cookie(), mallory.cookie()]

    for one, other in (both, both[::-1], [both[0], both[0]], [both[0], ""], ["", both[0]], [both[0], "odd"]):
        sent = f"{SESSION}={one}; {SESSION}={other}"
        about = await asked_with(world, sent)
        assert about.status == 200
        assert json.loads(about.body) == {
            "authenticated": False,
            "sign_in": "/auth/sign-in",
            "sign_up": "/auth/sign-up",
            "reason": "duplicate-cookie",
        }
        refused = await asked_with(world, sent, "/api/profile")
        problem = json.loads(refused.body)
        assert (refused.status, problem["type"]) == (401, "/problems/sign-in-required")
        assert problem["reason"] == "duplicate-cookie"
        assert "Delete the cookies of this address" in problem["detail"]
        assert about.headers["clear-site-data"] == refused.headers["clear-site-data"] == FORGET
    assert await lives(world, both[0]), "nothing ended by that"
    assert await lives(world, both[1])


@pytest.mark.parametrize("path", ["/api/session/events", "/api/profile"])
async def test_A1_an_answer_that_its_page_cannot_read_leaves_the_cookies_for_the_one_that_says_why(
    world: World, path: str
) -> None:
    both = ("Cookie", f"{SESSION}=a; {SESSION}=b")

    for accept, forgets in (
        ("text/event-stream", None),  # what an EventSource sends, and no fetch by itself
        ("text/event-stream, application/json", FORGET),
        ("*/*", FORGET),
    ):
        answer = await ask_raw(world.gateway_url, "GET", path, [CSRF, both, ("Accept", accept)])
        assert (answer.status, json.loads(answer.body)["reason"]) == (401, "duplicate-cookie")
        assert answer.headers.get("clear-site-data") == forgets


@pytest.mark.parametrize("path", ["/auth/sign-in?return_to=/edit", "/auth/sign-up"])
async def test_A1_who_signs_in_with_two_session_cookies_is_told_what_to_do_and_not_sent_round(
    world: World, path: str
) -> None:
    sent = ("Cookie", f"{SESSION}=a; {SESSION}=b")

    for fields in ([PAGE], []):
        answer = await ask_raw(world.gateway_url, "GET", path, [sent, *fields])
        host = world.gateway_url.removeprefix("http://").encode()
        assert (answer.status, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
        assert b"Two cookies of " + host in answer.body
        assert b'<a href="/">' in answer.body
        assert answer.headers["clear-site-data"] == FORGET
        assert answer.set_cookies == []
    german = await ask_raw(world.gateway_url, "GET", path, [sent, ("Accept-Language", "de-DE")])
    assert "Löschen Sie die Cookies von".lower() in german.body.decode().lower()
    healed = await ask_raw(world.gateway_url, "GET", path, [PAGE])
    assert healed.headers["location"].startswith(world.tenant_url)


async def test_A1_a_step_up_with_two_session_cookies_leads_to_a_page_that_asks_anew(world: World) -> None:
    ada, other = await world.signed_in(), await world.signed_in()
    sent = f"{SESSION}={ada.cookie()}; {SESSION}={other.cookie()}"

    answer = await asked_with(world, sent, "/auth/step-up?action=profile.edit&return_to=/edit")

    assert answer.status == 303
    assert answer.headers["location"].startswith("/problem?type=sign-in-required&")


async def test_A1_a_flow_cookie_twice_ends_no_flow_and_says_what_to_do(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person, "/auth/sign-in?return_to=/edit")
    (cookie,) = flow_cookies(person)
    name = cookie.partition("=")[0]

    for other in (cookie, f"{name}=", f"{name}=1750000000.{'s' * 43}"):
        for fields in ([("Cookie", f"{cookie}; {other}")], [("Cookie", other), ("Cookie", cookie)]):
            told = await come_back(world, answer, fields)
            assert (told.status, told.headers["content-type"]) == (400, "text/html; charset=utf-8")
            assert told.headers["clear-site-data"] == FORGET
    response = await come_back(world, answer, [("Cookie", cookie)])
    assert (response.status, response.headers["location"]) == (303, "/edit"), "the flow was not spent"


async def test_A1_S18_who_signs_out_with_two_session_cookies_is_signed_out_of_both(world: World) -> None:
    ada, mallory = await signed_in_as(world, ADA), await signed_in_as(world, GRACE)
    one, other = ada.cookie(), mallory.cookie()

    answer = await signed_out_with(world, [other, one, "odd"])

    assert answer.status == 200
    assert answer.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    (line,) = answer.set_cookies
    assert line.startswith(f'{SESSION}="";')
    assert not await lives(world, one)
    assert not await lives(world, other)


async def test_A1_S18_the_only_session_among_two_cookies_is_told_to_the_authority(world: World) -> None:
    ada, twin = await world.signed_in(), await world.signed_in()

    doubled = await signed_out_with(world, [ada.cookie(), SessionCookie.new().text])
    usual = await twin.call("POST", "/auth/sign-out")

    assert json.loads(doubled.body) == usual.body
    assert not await lives(world, ada.cookie())


async def test_A1_S18_more_session_cookies_than_anybody_has_are_no_work_for_redis(world: World) -> None:
    ada = await world.signed_in()
    many = [ada.cookie(), *(SessionCookie.new().text for _ in range(MOST_COOKIES))]

    answer = await signed_out_with(world, many)

    assert (answer.status, json.loads(answer.body)["type"]) == (400, "/problems/duplicate-cookie")
    assert answer.headers["clear-site-data"] == FORGET
    assert await lives(world, many[0])
