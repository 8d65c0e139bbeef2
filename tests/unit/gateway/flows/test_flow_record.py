"""The record of one flow: where it may return to (S9), and whose browser finds it, once (S2)."""

import base64
import hashlib
import re
from http.cookies import Morsel

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.edge.problem_pages import FLOW_STATE, RETURN_TO
from gateway.errors import DuplicateCookie, SessionStoreUnavailable, SignInExpired
from gateway.flows.flow_record import AuthCodeFlow, FlowStore, local_path
from gateway.store.names import digest_of, record_key
from gateway.store.vault import Vault
from tests.stage.redis_wire import NOT_NOW, Command
from tests.stage.request_proxy import RequestProxy
from tests.unit.gateway.store_of_tests import NOW

TEN_MINUTES = 600
STATE, OTHER_STATE = "a" * 43, "b" * 43
FLOW = AuthCodeFlow({"state": STATE, "code_verifier": "v"}, "sign-in", "/edit", "a-nonce")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/edit",
        "/edit?field=city#form",
        "/edit?next=//evil.example/../%2f",
        "/edit#//evil.example",
        "/authentic",
        "/apis",
        "/a~!;@:[]",
        "/metric",
        "/healthy",
        "/EDIT/X/Y",
        "/%C3%A9/%20x",
        "/" + "e" * 511,
    ],
)
def test_S9_a_path_of_our_own_pages_is_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize("path, spelled", [("/ed it", "/ed%20it"), ("/é", "/%C3%A9")])
def test_X7_what_a_query_was_decoded_to_is_encoded_again(path: str, spelled: str) -> None:
    assert local_path(path) == spelled


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "edit",
        "//evil.example",
        "/\\evil.example",
        "/edit\\..",
        "/edit//x",
        "/edit/../auth/sign-out",
        "/.",
        "/%2f%2fevil.example",
        "/ /edit",
        "/edit%2fx",
        "/edit%252fx",
        "/%252e%252e/auth/sign-out",
        "/edit%5cx",
        "/edit%09",
        "/edit%E2%88%95x",
        "/edit%ff",
        "/edit?a\tb",
        "/edit?a\\b",
        "/edit#\u2044",
        "/edit\u2215x",
        "/edit\n",
        "/\t/evil.example",
        "/\u00a0/edit",
        "https://evil.example",
        "/auth/sign-in",
        "/auth",
        "/auth?x",
        "/api/profile",
        "/api",
        "/health/live",
        "/health",
        "/metrics",
        "/metrics/x",
        "/problem?type=x",
        "/problems",
        "/" + "e" * 512,
    ],
)
def test_S9_anything_else_leads_to_the_first_page(path: str | None) -> None:
    assert local_path(path) == "/"


def request(*cookies: tuple[str, str]) -> web.Request:
    """Return a request of a browser that has these cookies."""
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies)}
    return make_mocked_request("GET", "/auth/callback", headers=headers if cookies else {})


def given(response: web.Response, *, dropped: bool = False) -> list[Morsel[str]]:
    """Return the cookies that a response sets, or those that it takes back."""
    return [cookie for cookie in response.cookies.values() if (cookie["max-age"] in {0, "0"}) == dropped]


async def put(
    flows: FlowStore, flow: AuthCodeFlow = FLOW, *cookies: tuple[str, str], now: float = NOW
) -> tuple[web.Response, tuple[str, str]]:
    """Keep a flow; return the response and the name and value of its cookie."""
    response = web.Response()
    await flows.put(request(*cookies), response, flow, now=now)
    (cookie,) = given(response)
    return response, (cookie.key, cookie.value)


async def assert_none(flows: FlowStore, asked: web.Request, state: str = STATE) -> None:
    with pytest.raises(SignInExpired):
        await flows.take(asked, state)


@pytest.fixture
def flows(vault: Vault) -> FlowStore:
    return FlowStore(vault)


async def test_S2_a_flow_is_found_once_by_its_state_and_its_browser(flows: FlowStore) -> None:
    flow = AuthCodeFlow(
        {"state": STATE, "nonce": "n"},
        "step-up",
        "/edit",
        "n",
        session="cookie",
        resource="edit",
        fresh_since=7,
    )
    _, cookie = await put(flows, flow)

    assert await flows.take(request(cookie), STATE) == flow
    await assert_none(flows, request(cookie))


async def test_a_flow_says_nothing_of_what_it_has_none_of(flows: FlowStore) -> None:
    _, cookie = await put(flows)

    flow = await flows.take(request(cookie), STATE)

    assert flow == FLOW
    assert (FLOW.session, FLOW.resource, FLOW.fresh_since) == ("", "", None)


async def test_S2_neither_the_state_nor_the_cookie_finds_it_alone(flows: FlowStore) -> None:
    _, (name, value) = await put(flows)
    other = AuthCodeFlow({"state": OTHER_STATE}, "sign-in", "/", "n")
    _, others = await put(flows, other)

    await assert_none(flows, request())
    await assert_none(flows, request(others))
    await assert_none(flows, request((name, others[1])))
    await assert_none(flows, request((name, value)), OTHER_STATE)
    for damaged in (value[:-1], value + "A", value.replace(".", ":"), value[1:], ""):
        await assert_none(flows, request((name, damaged)))
    assert await flows.take(request((name, value)), STATE) == FLOW


async def test_S2_the_cookie_lasts_ten_minutes_comes_back_from_the_authority_and_is_no_scripts(
    flows: FlowStore,
) -> None:
    response, (name, value) = await put(flows, now=1_750_000_000.9)

    hashed = base64.urlsafe_b64encode(hashlib.sha256(f"flow cookie\0{STATE}".encode()).digest()).decode()
    assert name == f"__Host-Http-flow-{hashed[:16]}", "as the release before calls it"
    assert re.fullmatch(r"1750000000\.[A-Za-z0-9_-]{43}", value)
    assert response.cookies.output(header="").strip() == (
        f"{name}={value}; HttpOnly; Max-Age=600; Path=/; SameSite=None; Secure"
    )


async def test_S33_the_record_is_named_by_both_and_opened_by_the_browsers_half_and_ends_in_ten_minutes(
    flows: FlowStore, vault: Vault
) -> None:
    _, (_, value) = await put(flows)
    secret = value.partition(".")[2]
    key = record_key("flow", digest_of(STATE, secret))

    assert TEN_MINUTES - 60 < await vault.redis.ttl(key) <= TEN_MINUTES
    sealed = await vault.redis.get(key)
    owner = digest_of(STATE, secret)
    assert b"sign-in" in vault.ring.open(sealed, kind="flow", owner=owner, secret=secret.encode())


async def test_S8_a_problems_page_is_told_which_flow_is_over_and_where_it_leads_back_to(
    flows: FlowStore,
) -> None:
    _, cookie = await put(flows)
    known, unknown = request(cookie), request()

    await flows.take(known, STATE)
    await assert_none(flows, unknown, OTHER_STATE)

    assert (known[FLOW_STATE], known[RETURN_TO]) == (STATE, "/edit")
    assert unknown[FLOW_STATE] == OTHER_STATE
    assert RETURN_TO not in unknown


async def test_R2_a_flow_that_redis_cannot_give_now_can_be_taken_later(
    flows: FlowStore, way_to_redis: RequestProxy[Command]
) -> None:
    _, cookie = await put(flows)
    way_to_redis.refuse(lambda _: True, NOT_NOW, times=None)
    asked = request(cookie)

    with pytest.raises(SessionStoreUnavailable):
        await flows.take(asked, STATE)

    assert FLOW_STATE not in asked
    way_to_redis.heal()
    assert await flows.take(asked, STATE) == FLOW


async def test_two_flows_have_two_cookies_and_two_secrets(flows: FlowStore) -> None:
    _, one = await put(flows)
    _, two = await put(flows, AuthCodeFlow({"state": OTHER_STATE}, "sign-in", "/", "n"))

    assert one[0] != two[0]
    assert one[1].partition(".")[2] != two[1].partition(".")[2]
    assert await flows.take(request(one, two), STATE) == FLOW


def a_cookie(number: int, at: int) -> tuple[str, str]:
    return f"__Host-Http-flow-{number:016}", f"{at}.{'s' * 43}"


async def test_S10_a_browser_has_five_flows_and_the_oldest_give_way(flows: FlowStore) -> None:
    begun = [a_cookie(number, 1_750_000_000 - number) for number in range(7)]
    others = [
        ("other", "1750000000.x"),
        ("__Host-Http-flow-odd", "no form"),
        ("x", a_cookie(9, 1_600_000_000)[1]),
    ]

    five, _ = await put(flows, FLOW, *begun[:5], *others)
    assert [cookie.key for cookie in given(five, dropped=True)] == [begun[4][0]]
    assert given(five, dropped=True)[0].OutputString() == (
        f'{begun[4][0]}=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; '
        "SameSite=None; Secure"
    )
    seven, _ = await put(flows, FLOW, *begun)
    assert {cookie.key for cookie in given(seven, dropped=True)} == {begun[number][0] for number in (4, 5, 6)}
    for few in range(5):
        response, _ = await put(flows, FLOW, *begun[:few])
        assert given(response, dropped=True) == [], few


async def test_A1_a_flow_cookie_twice_finds_no_flow_and_spends_none(flows: FlowStore) -> None:
    _, cookie = await put(flows)

    for other in (cookie, (cookie[0], ""), (cookie[0], f"1750000000.{'s' * 43}")):
        twice = request(cookie, other)
        with pytest.raises(DuplicateCookie):
            await flows.take(twice, STATE)
        assert FLOW_STATE not in twice, "nothing is taken back from the browser"
        assert FlowStore.name_of_answer(twice, {"state": STATE}) is None
    assert await flows.take(request(cookie), STATE) == FLOW


async def test_a_flow_that_is_over_is_taken_back_from_the_browser(flows: FlowStore) -> None:
    _, (name, _) = await put(flows)
    response = web.Response()

    assert FlowStore.close(response, STATE) is response

    assert [cookie.key for cookie in given(response, dropped=True)] == [name]
