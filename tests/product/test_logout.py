"""How sessions end from outside: nobody is signed out by a foreign page (S19), and all are by the authority (S20)."""

from collections.abc import Awaitable, Callable

import pytest

from tests.stage.other_front_end import ADA, GRACE, Answer, OtherFrontEnd
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
ISSUER = "https://{0}.ciamlogin.com/{0}/v2.0".format("3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10")


async def signed_in_as(person: OtherFrontEnd, who: tuple[str, str] = ADA) -> str:
    """Sign in, and return the authority's name for its session."""
    page = await person.leave("/auth/sign-in?return_to=/edit")
    if "password" in page.form.inputs:
        page = await person.visitor.submit(page, email=who[0], password=who[1])
    assert await person.come_back(page) == "/edit"
    return page.form.inputs["session_state"]


async def is_signed_in(person: OtherFrontEnd) -> bool:
    """Ask the gateway."""
    return bool((await person.call("GET", "/api/session")).body["authenticated"])


async def framed(world: World, query: str) -> Answer:
    """Call as the authority's sign-out page does: in a frame, so without our cookies."""
    return await (await world.front_end()).navigate(f"/auth/frontchannel-logout?{query}")


@pytest.mark.parametrize(
    "method, headers, status",
    [
        ("GET", {"X-CSRF": "1"}, 405),
        ("POST", {}, 403),
        ("POST", {"X-CSRF": "1", "Sec-Fetch-Site": "cross-site"}, 403),
        ("POST", {"X-CSRF": "1", "Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {"X-CSRF": "1", "Origin": "https://evil.example"}, 403),
    ],
)
async def test_S19_a_foreign_page_signs_nobody_out(
    world: World, method: str, headers: dict[str, str], status: int
) -> None:
    ada = await world.signed_in()

    async with ada.session.request(
        method, f"{world.gateway_url}/auth/sign-out", headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == status
        assert "Set-Cookie" not in answer.headers
        assert "Clear-Site-Data" not in answer.headers

    assert await is_signed_in(ada)


async def test_S20_the_authority_ends_all_sessions_of_one_of_its_own_and_no_other(world: World) -> None:
    ada, grace = await world.front_end(), await world.front_end()
    first = await signed_in_as(ada)
    before = ada.cookie()
    assert await signed_in_as(ada) == first, "the authority's session is the same"
    await signed_in_as(grace, GRACE)
    elsewhere = await world.signed_in()

    answer = await framed(world, f"sid={first}")

    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    assert before != ada.cookie()
    assert [await is_signed_in(one) for one in (ada, grace, elsewhere)] == [False, True, True]
    assert (await ada.call("GET", "/api/profile")).body["reason"] == "signed-out"
    assert first not in " ".join(await world.keys()), "its name is not written down"


async def test_S20_a_session_that_stepped_up_since_is_ended_as_well(world: World) -> None:
    ada = await world.front_end()
    sid = await signed_in_as(ada)
    await ada.step_up("/auth/step-up?return_to=/edit")

    await framed(world, f"sid={sid}")

    assert not await is_signed_in(ada)


@pytest.mark.parametrize(
    "query",
    ["", "sid=", "sid=another", "sid={0}&sid={0}", "sid={0}&iss=https://evil.example", "sid=" + "x" * 200,
     "sid={0}&iss=" + ISSUER + "&iss=" + ISSUER, "iss=" + ISSUER],
)  # fmt: skip
async def test_S20_what_names_no_session_of_ours_ends_none_and_is_answered_alike(
    world: World, query: str
) -> None:
    ada = await world.front_end()
    sid = await signed_in_as(ada)

    answer = await framed(world, query.format(sid))

    assert await is_signed_in(ada)
    other = await framed(world, f"sid={sid}&iss={ISSUER}")
    assert (answer.status, answer.text) == (other.status, other.text)
    assert not await is_signed_in(ada), "and the whole truth does"


async def test_S20_only_the_authority_may_frame_the_answer_and_nobody_keeps_it(world: World) -> None:
    answer = await framed(world, "sid=x")

    (framers,) = [
        part for part in answer.headers["Content-Security-Policy"].split("; ") if "frame-ancestors" in part
    ]
    assert framers.split()[1:] == [world.tenant_url, "https://stepuplocal.ciamlogin.com"]
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


async def test_S20_R28_without_redis_it_does_not_pretend(make_world: MakeWorld) -> None:
    world = await make_world(REDIS_URL="redis://127.0.0.1:1/0")

    answer = await framed(world, "sid=x")

    assert (answer.status, answer.slug) == (503, "session-store-unavailable")
