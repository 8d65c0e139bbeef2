"""What a flow's store says of a browser that answers: what its answer is called, and whether it keeps our cookie."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.errors import CookieNotKept, SignInExpired
from gateway.flows.flow_record import FlowStore
from gateway.store.vault import Vault
from tests.unit.gateway.flows.test_flow_record import STATE, put, request

ANSWER = {"state": STATE, "code": "a-code"}
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"


@pytest.fixture
def flows(vault: Vault) -> FlowStore:
    return FlowStore(vault)


async def test_D6_the_same_answer_of_the_same_browser_has_one_name(flows: FlowStore) -> None:
    _, cookie = await put(flows)
    name = FlowStore.name_of_answer(request(cookie), ANSWER)

    assert name
    assert FlowStore.name_of_answer(request(cookie, ("b", "1")), dict(reversed(ANSWER.items()))) == name


async def test_D6_another_answer_and_another_browser_have_other_names(flows: FlowStore) -> None:
    _, (cookie, value) = await put(flows)
    _, (_, other) = await put(flows)
    answers = [
        ANSWER,
        ANSWER | {"code": "b-code"},
        ANSWER | {"iss": "x"},
        {"state": STATE, "error": "a-code"},
    ]

    names = {FlowStore.name_of_answer(request((cookie, value)), answer) for answer in answers}
    names.add(FlowStore.name_of_answer(request((cookie, other)), ANSWER))

    assert len(names - {None}) == 5


async def test_D6_an_answer_without_its_flows_cookie_has_no_name(flows: FlowStore) -> None:
    _, cookie = await put(flows)

    assert FlowStore.name_of_answer(request(), ANSWER) is None
    assert FlowStore.name_of_answer(request(cookie), ANSWER | {"state": "b" * 43}) is None


def of_browser(agent: str | None) -> web.Request:
    """Return a request that brings no cookie."""
    return make_mocked_request("GET", "/auth/callback", headers={"User-Agent": agent} if agent else {})


@pytest.mark.parametrize("agent", [f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI}", SAFARI])
async def test_X6_a_browser_that_keeps_no_secure_cookie_without_tls_is_told_so(
    vault: Vault, agent: str
) -> None:
    with pytest.raises(CookieNotKept):
        await FlowStore(vault, plain_http=True).take(of_browser(agent), STATE)
    with pytest.raises(SignInExpired):
        await FlowStore(vault).take(of_browser(agent), STATE)


@pytest.mark.parametrize(
    "agent",
    [
        None,
        "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
        f"Mozilla/5.0 (X11; Linux x86_64) {CHROME}",
        f"Mozilla/5.0 (X11; Linux x86_64) {CHROME.replace('Chrome', 'HeadlessChrome')}",
        f"Mozilla/5.0 (X11; Linux x86_64) {CHROME.replace('Chrome', 'Chromium')}",
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) {SAFARI.replace('Version', 'CriOS')}",
        "Safari/605.1.15",
        "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko)",
    ],
    ids=str,
)
async def test_X6_of_any_other_browser_the_sign_in_is_over(vault: Vault, agent: str | None) -> None:
    with pytest.raises(SignInExpired):
        await FlowStore(vault, plain_http=True).take(of_browser(agent), STATE)
