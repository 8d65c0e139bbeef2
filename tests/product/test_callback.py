"""The way back from the authority: once, in the same browser, for the same person, or not at all."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.flows.flow_record import FLOW_SECONDS
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


def problem_of(location: str) -> str:
    """The slug that a problem page is about."""
    assert location.startswith("/problem?"), location
    (slug,) = parse_qs(urlsplit(location).query)["type"]
    return slug


async def answered(person: OtherFrontEnd, path: str = "/auth/sign-in") -> dict[str, str]:
    """Go as far as the authority's answer, and return it without sending it."""
    page = await person.leave(path)
    if "password" in page.form.inputs:
        page = await person.visitor.submit(page, email=ADA[0], password=ADA[1])
    if "code" in page.form.inputs and "state" not in page.form.inputs:
        page = await person.visitor.submit(page, code=await person.visitor.newest_code(ADA[0]))
    assert "code" in page.form.inputs
    return page.form.inputs


async def sent(person: OtherFrontEnd, answer: dict[str, str]) -> str:
    """Send an authorization answer to the callback; return where it leads."""
    response = await person.navigate("/auth/callback", answer)
    assert response.status == 303, response.text
    return response.headers["Location"]


async def test_S2_a_stolen_answer_opens_no_session_in_another_browser(world: World) -> None:
    attacker, victim = await world.front_end(), await world.front_end()
    answer = await answered(attacker)
    redemptions = await world.asked("token.authorization_code")

    assert problem_of(await sent(victim, answer)) == "sign-in-expired"

    await victim.leave("/auth/sign-in")  # now with a flow of its own
    assert problem_of(await sent(victim, answer)) == "sign-in-expired"
    assert not victim.cookie()
    assert await world.asked("token.authorization_code") == redemptions
    assert await sent(attacker, answer) == "/", "the attempt did not spend the flow"


async def test_S2_an_answer_is_good_for_one_session_however_often_it_comes(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)

    ways = await asyncio.gather(*(sent(person, answer) for _ in range(20)))

    assert set(ways) == {"/"}, "a second click is answered as the first"
    assert problem_of(await sent(person, answer)) == "sign-in-expired", (
        "and nothing is, once the answer is there"
    )
    assert await world.asked("token.authorization_code") == 1
    assert len((await person.call("GET", "/api/sessions")).body["sessions"]) == 1


async def test_S2_a_flow_of_yesterday_is_over(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)
    keys = [key for key in await world.keys() if key.startswith("stepup:flow:")]
    assert [0 < await world.redis.ttl(key) <= FLOW_SECONDS for key in keys] == [True]
    await world.redis.delete(*keys)  # what Redis does after ten minutes

    assert problem_of(await sent(person, answer)) == "sign-in-expired"


async def test_S6_codes_swapped_between_two_browsers_bring_nobody_in(world: World) -> None:
    first, second = await world.front_end(), await world.front_end()
    one, other = await answered(first), await answered(second)

    assert problem_of(await sent(first, {**one, "code": other["code"]})) == "sign-in-expired"
    assert problem_of(await sent(second, {**other, "code": one["code"]})) == "sign-in-expired"
    assert not first.cookie()
    assert not second.cookie()


@pytest.mark.parametrize("name", ["state", "code", "session_state", "error", "iss"])
async def test_S7_a_parameter_that_comes_twice_is_refused(world: World, name: str) -> None:
    person = await world.front_end()
    answer = await answered(person)
    twice = [*answer.items(), (name, answer.get(name, "x")), (name, "y")]

    async with person.session.post(
        f"{world.gateway_url}/auth/callback", data=twice, allow_redirects=False
    ) as response:
        assert problem_of(response.headers["Location"]) == "sign-in-failed"
    assert not person.cookie()


async def test_S7_an_answer_half_in_the_query_is_refused(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)

    response = await person.navigate("/auth/callback?state=other", answer)

    assert problem_of(response.headers["Location"]) == "sign-in-failed"


@pytest.mark.parametrize(
    "kind, body",
    [
        ("application/x-www-form-urlencoded; charset=unheard-of", b"state=a&code=b"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"state=a&code=b"),
        ("application/x-www-form-urlencoded", b"state=\xff\xfe&code=b"),
        ("application/x-www-form-urlencoded", b"state=%ff%fe&code=b"),
        ("application/x-www-form-urlencoded", b"&".join([b"state=a", b"code=b", *[b"x=y"] * 60])),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("text/plain", b"state=a&code=b"),
    ],
)
async def test_S7_a_body_that_is_no_form_is_refused_without_an_alarm(
    world: World, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    person = await world.front_end()

    async with person.session.post(
        f"{world.gateway_url}/auth/callback", data=body, headers={"Content-Type": kind}, allow_redirects=False
    ) as response:
        assert problem_of(response.headers["Location"]) in {"sign-in-failed", "sign-in-expired"}
    assert "ERROR" not in {record.levelname for record in caplog.records}


async def test_S8_the_callback_takes_one_method_and_echoes_nothing(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)

    assert (await person.navigate(f"/auth/callback?code=x&state={answer['state']}")).status == 405
    response = await person.navigate(
        "/auth/callback",
        {
            "error": "access_denied",
            "error_description": "<script>alert(1)</script>",
            "state": answer["state"],
        },
    )

    assert problem_of(response.headers["Location"]) == "sign-in-cancelled"
    assert "script" not in response.headers["Location"] + response.text
    assert "code=" not in response.headers["Location"]


async def test_S8_a_flow_that_failed_leaves_no_cookie_behind(world: World) -> None:
    person = await world.front_end()
    page = await person.leave("/auth/sign-in?return_to=/sessions")
    page = await person.visitor.follow(page, "Cancel")

    response = await person.come_back(page)

    assert problem_of(response) == "sign-in-cancelled"
    assert parse_qs(urlsplit(response).query)["return_to"] == ["/sessions"]
    assert [cookie.key for cookie in person.session.cookie_jar if "flow" in cookie.key] == []


@pytest.mark.parametrize(
    "issuer, slug",
    [("https://login.evil.example/v2.0", "sign-in-failed"), ("", "sign-in-failed")],
)
async def test_S5_an_answer_that_names_another_issuer_is_refused(
    world: World, issuer: str, slug: str
) -> None:
    person = await world.front_end()
    answer = await answered(person)

    assert problem_of(await sent(person, {**answer, "iss": issuer})) == slug
    assert await world.asked("token.authorization_code") == 0


async def test_S5_an_answer_that_names_our_issuer_is_taken(world: World) -> None:
    person = await world.front_end()
    answer = await answered(person)
    issuer = "https://{0}.ciamlogin.com/{0}/v2.0".format("3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10")

    assert await sent(person, {**answer, "iss": issuer}) == "/"


@pytest.mark.parametrize(
    "error, slug",
    [
        ("access_denied", "sign-in-cancelled"),
        ("temporarily_unavailable", "authority-unavailable"),
        ("server_error", "authority-unavailable"),
        ("unauthorized_client", "misconfigured"),
        ("invalid_request", "misconfigured"),
        ("invalid_scope", "misconfigured"),
        ("consent_required", "misconfigured"),
        ("login_required", "sign-in-failed"),
        ("interaction_required", "sign-in-failed"),
        ("<b>new</b>", "misconfigured"),
    ],
)
async def test_each_refusal_of_the_authority_has_a_page_of_its_own(
    world: World, error: str, slug: str
) -> None:
    person = await world.front_end()
    state = (await answered(person))["state"]

    assert problem_of(await sent(person, {"error": error, "state": state})) == slug


async def test_R20_two_tabs_that_sign_in_at_once_both_arrive(world: World) -> None:
    person = await world.front_end()
    first = await answered(person, "/auth/sign-in?return_to=/edit")
    second = await answered(person, "/auth/sign-in?return_to=/sessions")

    assert await sent(person, second) == "/sessions"
    assert await sent(person, first) == "/edit"


async def test_S10_a_browser_has_five_flows_at_most(world: World) -> None:
    person = await world.front_end()
    answers = []
    for _ in range(7):
        answers.append(await answered(person))
        world.forward(1)

    assert len([cookie for cookie in person.session.cookie_jar if "flow" in cookie.key]) == 5
    assert problem_of(await sent(person, answers[0])) == "sign-in-expired"
    assert await sent(person, answers[-1]) == "/"


async def test_S10_scope_prompt_and_claims_are_never_taken_from_the_query(world: World) -> None:
    ada = await world.signed_in()

    response = await ada.navigate(
        f"{STEP_UP}&scope=Directory.ReadWrite.All&prompt=none&claims=%7B%7D&acr_values=x"
    )

    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert "Directory" not in query["scope"][0]
    assert "prompt" not in query
    assert "claims" not in query


async def test_S1_every_flow_has_its_own_state_nonce_and_challenge(world: World) -> None:
    person = await world.front_end()
    queries = [
        parse_qs(urlsplit((await person.navigate("/auth/sign-in")).headers["Location"]).query)
        for _ in range(2)
    ]

    for name in ("state", "nonce", "code_challenge"):
        assert queries[0][name] != queries[1][name]
        assert len(queries[0][name][0]) >= 43
    assert queries[0]["code_challenge_method"] == ["S256"]
    assert queries[0]["response_type"] == ["code"]
    assert queries[0]["response_mode"] == ["form_post"]
