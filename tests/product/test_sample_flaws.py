"""What Microsoft's sample gets wrong, and ours must not; docs/explanation/sample-flaws.md has every row."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway.app_keys import SESSIONS
from gateway.session.cookie import SessionCookie
from gateway.tokens.resources import Resource
from tests.stage.ports import free_port
from tests.stage.stored import stored_token
from tests.stage.tenant import GATEWAY
from tests.stage.world import World

ROOT = Path(__file__).resolve().parents[2]


async def test_E01_no_token_of_the_gateway_can_write_to_graph(world: World) -> None:
    ada = await world.confirmed()
    await ada.call("GET", "/api/profile")
    cookie = SessionCookie.parse(ada.cookie())
    assert cookie is not None
    session = await world.app[SESSIONS].load(cookie)
    assert session is not None
    token = await stored_token(session, Resource("graph", "User.Read"))
    assert token is not None

    async with ada.session.patch(
        f"{world.tenant_url}/v1.0/me",
        json={"city": "Rome"},
        headers={"Authorization": f"Bearer {token.value}"},
    ) as answer:
        assert answer.status == 403

    assert (await ada.call("GET", "/api/profile")).body["city"] == "London"


async def test_E07_a_call_that_needs_step_up_gets_one_answer_and_no_redirect(world: World) -> None:
    ada = await world.signed_in()

    answer = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert answer.status == 403
    assert "Location" not in answer.headers
    assert answer.headers["Content-Type"].startswith("application/problem+json")


async def test_E09_an_api_that_is_not_there_is_answered_and_not_waited_for(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    world = await make_world(RESOURCE_API_URL=f"http://127.0.0.1:{free_port()}")
    ada = await world.confirmed()

    answer = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (answer.status, answer.slug, answer.body["outcome"]) == (502, "resource-unavailable", "not-saved")


async def test_E13_nobody_is_signed_out_by_a_link(world: World) -> None:
    ada = await world.signed_in()

    assert (await ada.navigate("/auth/sign-out")).status == 405
    assert (await ada.navigate("/auth/sign-out", {})).status == 403, "a form without the header"
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_E18_the_claims_that_a_policy_demands_travel_to_the_authority(world: World) -> None:
    ada = await world.signed_in()
    refused = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    redirect = await ada.navigate(refused.body["redirect"])

    query = parse_qs(urlsplit(redirect.headers["Location"]).query)
    assert "capolids" in query["claims"][0] or "polids" in query["claims"][0]
    assert "polids" not in refused.text


async def test_E19_the_sign_out_address_is_encoded_and_carries_the_hint_that_the_tenant_gave(
    world: World,
) -> None:
    await world.admin("PUT", "/settings", {"optional_claims": {GATEWAY: ["login_hint", "sid"]}})
    ada = await world.signed_in()
    hint = (await ada.call("GET", "/api/session/claims")).body["claims"]["login_hint"]

    redirect = (await ada.call("POST", "/auth/sign-out")).body["redirect"]

    query = parse_qs(urlsplit(redirect).query, strict_parsing=True)
    assert query["post_logout_redirect_uri"] == [f"{world.gateway_url}/"]
    assert query["logout_hint"] == [hint]
    assert "id_token_hint" not in query
    page = await ada.visitor.open(redirect)
    assert page.status == 200


async def test_E21_the_metadata_is_fetched_once_for_many_flows(world: World) -> None:
    for _ in range(4):
        person = await world.confirmed()
        await person.call("GET", "/api/profile")

    # MSAL's transport and our own discovery ask once each, the API's two clients likewise.
    assert await world.asked("discovery") <= 4


def test_E22_certificate_checks_are_never_switched_off() -> None:
    off = re.compile(
        r"verify\s*=\s*False|ssl\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|NODE_TLS_REJECT"
    )
    sources = [*ROOT.glob("gateway/*.py"), *ROOT.glob("servicekit/*.py"), *ROOT.glob("resource_api/*.py")]
    assert len(sources) > 40

    assert [path.name for path in sources if off.search(path.read_text())] == []


def test_every_row_of_the_page_names_tests_that_exist() -> None:
    rows = [
        line
        for line in (ROOT / "docs/explanation/sample-flaws.md").read_text().splitlines()
        if line.startswith("| ")
    ]
    named = {number: re.findall(r"`(test_\w+)`", row) for number, row in enumerate(rows[1:], 1)}
    written = {
        name
        for path in ROOT.glob("tests/**/test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }

    assert len(named) == 25
    assert {number: set(tests) - written for number, tests in named.items() if set(tests) - written} == {}
    assert [number for number, tests in named.items() if not tests] == []
