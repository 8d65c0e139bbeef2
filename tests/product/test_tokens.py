"""Access tokens: one refresh for all, and a refusal that is told for what it is."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator

import pytest

from gateway.app_keys import AUTH_FLOW, SESSIONS, VAULT
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession
from gateway.store.vault import Vault
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource
from gateway.tokens.token_records import REFUSAL_SECONDS, token_entry
from servicekit.errors import Misconfigured
from tests.stage.http_wire import token_request
from tests.stage.invariants import violations
from tests.stage.network import Network
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.stored import stored_token
from tests.stage.tenant import API, EDIT
from tests.stage.world import World

READ = Resource("graph", "User.Read")
HOUR = 3600


@pytest.fixture(autouse=True)
async def _the_store_stays_clean(world: World) -> AsyncIterator[None]:
    """Look through the store at the end of every test."""
    yield
    assert await violations(world.redis, world.app[VAULT]) == []


async def live(world: World, person: OtherFrontEnd) -> LiveSession:
    """The person's session, as the gateway sees it."""
    cookie = SessionCookie.parse(person.cookie())
    assert cookie is not None
    session = await world.app[SESSIONS].load(cookie)
    assert session is not None
    return session


def vault_of(world: World) -> Vault:
    """The gateway's own vault."""
    return world.app[VAULT]


def broker_of(world: World) -> TokenBroker:
    """The gateway's own broker."""
    broker = world.app[AUTH_FLOW]._broker
    assert isinstance(broker, TokenBroker)
    return broker


async def end_of_token(
    world: World, person: OtherFrontEnd, seconds_left: float, resource: Resource = READ
) -> None:
    """Let a kept token, Graph's unless it is said, be one that ends soon."""
    session = await live(world, person)
    token = await stored_token(session, resource)
    assert token is not None
    soon = AccessToken(token.value, world.clock.now + seconds_left)
    await session.records.put(token_entry(resource, soon))


async def test_a_living_token_costs_no_token_request(world: World) -> None:
    ada = await world.signed_in()

    for _ in range(5):
        assert (await ada.call("GET", "/api/profile")).status == 200

    assert await world.asked("token.refresh_token") == 0


async def test_R11_all_requests_at_expiry_share_one_token_request(world: World) -> None:
    ada = await world.signed_in()
    other = await world.new_gateway(
        PORT="1"
    )  # a second process would be no different: own memory, same Redis
    elsewhere = OtherFrontEnd(ada.session, other.gateway_url, world.tenant_url)
    await end_of_token(world, ada, 0)

    answers = await asyncio.gather(
        *(ada.call("GET", "/api/profile") for _ in range(20)),
        *(
            elsewhere.call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={ada.cookie()}"})
            for _ in range(20)
        ),
    )

    assert [answer.status for answer in answers] == [200] * 40
    assert await world.asked("token.refresh_token") == 1


async def test_a_refusal_is_remembered_for_some_seconds(world: World) -> None:
    ada = await world.signed_in()

    answers = await asyncio.gather(*(ada.call("PATCH", "/api/profile", {"city": "Rome"}) for _ in range(10)))

    assert {answer.slug for answer in answers} == {"step-up-required"}
    assert await world.asked("token.refresh_token") == 1
    world.forward(11)
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    assert await world.asked("token.refresh_token") == 2


@pytest.mark.parametrize(
    "aadsts, slug",
    [
        (50076, "step-up-required"),
        (53003, "access-blocked"),
        (65001, "misconfigured"),
        (7000215, "misconfigured"),
    ],
)
async def test_R11_whatever_was_refused_a_burst_of_calls_costs_one_token_request(
    world: World, aadsts: int, slug: str
) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": aadsts, "times": 1})

    answers = [await ada.call("GET", "/api/profile") for _ in range(5)]

    assert {answer.slug for answer in answers} == {slug}
    assert await world.asked("token.refresh_token") == 1
    world.forward(REFUSAL_SECONDS + 1)
    assert (await ada.call("GET", "/api/profile")).status == 200, "and it is forgotten soon"


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 429, "retry_after": 7},
        {"status": 500, "body": "html"},
        {"status": 200, "body": "html"},
        {"status": 200, "body": "empty"},
        {"body": "reset"},
    ],
    ids=str,
)
async def test_R15_a_failing_authority_signs_nobody_out(world: World, fault: dict[str, object]) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("PUT", "/faults/token.refresh_token", {**fault, "times": 1})

    failed = await ada.call("GET", "/api/profile")

    assert (failed.status, failed.slug) == (503, "authority-unavailable")
    assert int(failed.headers["Retry-After"]) == fault.get("retry_after", 5)
    assert "Set-Cookie" not in failed.headers
    again = await ada.call("GET", "/api/profile")
    assert again.status == 503
    assert await world.asked("token.refresh_token") == 1, "the failure is remembered for as long as was asked"
    world.forward(8)
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_R14_a_token_with_some_life_left_is_used_while_the_authority_fails(world: World) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 200)
    await world.admin("PUT", "/faults/token.refresh_token", {"status": 503, "times": 9})

    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_a_revoked_grant_ends_the_session_with_a_reason(world: World) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await world.admin("POST", f"/people/{ADA[0]}/revoke")

    for _ in range(2):
        answer = await ada.call("GET", "/api/profile")
        assert (answer.status, answer.body["reason"]) == (401, "revoked")
    assert (await ada.call("GET", "/api/session")).body["authenticated"] is False


@pytest.mark.parametrize(
    "aadsts, status, slug",
    [
        (50076, 403, "step-up-required"),
        (50079, 403, "step-up-required"),
        (50078, 403, "step-up-required"),
        (53003, 403, "access-blocked"),
        (65001, 500, "misconfigured"),
        (7000215, 500, "misconfigured"),
        (7000222, 500, "misconfigured"),
        (700016, 500, "misconfigured"),
        (500011, 500, "misconfigured"),
        (70011, 500, "misconfigured"),
        (700082, 401, "sign-in-required"),
        (50173, 401, "sign-in-required"),
    ],
)
async def test_what_the_authority_refuses_is_told_for_what_it_is(
    world: World, aadsts: int, status: int, slug: str, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", "/faults/token.refresh_token", {"aadsts": aadsts, "times": 1})

    with caplog.at_level(logging.INFO):
        answer = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (answer.status, answer.slug) == (status, slug)
    assert "AADSTS" not in answer.text, "numbers are for the log"
    assert ("redirect" in answer.body) == (status in {401, 403} and slug != "access-blocked")
    levels = {record.levelno for record in caplog.records if record.name == "servicekit.problems"}
    assert (logging.ERROR in levels) == (slug == "misconfigured")
    still = (await ada.call("GET", "/api/session")).body["authenticated"]
    assert still == (status != 401)


async def test_a_policy_that_blocks_is_no_way_to_step_up(world: World) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", f"/policies/{API}", {"mfa": "blocked"})

    answer = await ada.call("PATCH", "/api/profile", {"city": "Rome"})

    assert (answer.status, answer.slug) == (403, "access-blocked")
    assert "redirect" not in answer.body


async def test_E02_every_token_request_asks_for_one_resource(world: World) -> None:
    ada = await world.confirmed()
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    await ada.call("GET", "/api/profile")

    for point in ("token.authorization_code", "token.refresh_token"):
        for entry in await world.admin("GET", f"/requests?point={point}"):
            scopes = set(json.dumps(entry).replace("+", " ").replace('"', " ").split())
            assert not ({EDIT} <= scopes and {"User.Read"} <= scopes), entry


async def test_E03_each_resource_has_its_own_token(world: World) -> None:
    ada = await world.confirmed()
    await ada.call("GET", "/api/profile")
    session = await live(world, ada)

    graph = await stored_token(session, READ)
    edit = await stored_token(session, Resource("edit", EDIT))

    assert graph is not None
    assert edit is not None
    assert graph.value != edit.value
    assert graph.value not in repr(graph)


async def test_a_cancelled_caller_does_not_take_the_token_with_it(world: World, network: Network) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    session, broker = await live(world, ada), broker_of(await world.new_gateway(network))
    held = network.authority.hold(token_request("refresh_token"), answered=True)

    impatient = asyncio.create_task(broker.access_token(session, READ))
    await held.reached()
    impatient.cancel()
    await asyncio.wait([impatient])
    held.release()

    assert impatient.cancelled()
    assert (await broker.access_token(session, READ)).expires_at > world.clock.now + HOUR / 2
    assert await world.asked("token.refresh_token") == 1


async def test_a_flow_that_cannot_begin_says_why(world: World) -> None:
    person = await world.front_end()
    await world.admin("PUT", "/faults/discovery", {"status": 503, "times": 9})

    answer = await person.navigate("/auth/sign-in?return_to=/edit")

    assert answer.status == 303
    assert answer.headers["Location"].startswith("/problem?type=authority-unavailable&")
    assert answer.headers["Location"].endswith("return_to=%2Fedit")


async def test_misconfigured_is_an_error_that_names_its_cause() -> None:
    error = Misconfigured(log_detail="the authority refuses our token requests: invalid_client")

    assert error.problem().body("ref")["type"] == "/problems/misconfigured"
    assert "invalid_client" not in str(error.problem().body("ref"))


async def test_a_token_that_graph_refuses_is_replaced_by_a_new_one(world: World) -> None:
    ada = await world.signed_in()
    await world.admin("PUT", "/faults/graph.get_me", {"status": 401, "times": 1})

    answer = await ada.call("GET", "/api/profile")

    assert answer.status == 200
    assert await world.asked("token.refresh_token") == 1, "and not by the same one from MSAL's memory"
