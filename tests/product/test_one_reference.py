"""One reference from the browser to gateway, API, Graph and authority: one search finds everything (A6)."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from servicekit.reference import FORM, HEADER, RequestId
from tests.stage.other_front_end import ADA, Answer, OtherFrontEnd
from tests.stage.plain_world import plain_world
from tests.stage.tenant import GATEWAY
from tests.stage.witnesses import RecordingFrontEnd, recording
from tests.stage.world import World
from tests.unit.servicekit.service_log import ServiceLog, service_log

Line = dict[str, Any]


@pytest.fixture
async def ada(world: World) -> AsyncIterator[RecordingFrontEnd]:
    async with recording(world) as person:
        yield person


@pytest.fixture
def log(world: World) -> Iterator[ServiceLog]:  # noqa: ARG001 - what it writes at its start is not of interest
    """Read what gateway and API write, from when the world is there."""
    with service_log() as written:
        yield written


def found(log: ServiceLog, reference: str) -> dict[str, Line]:
    """Search the log of both services for a reference, as an operator would; lines by service and event."""
    assert re.fullmatch(FORM, reference)
    lines = [line for line in log.lines() if line.get("reference") == reference]
    return {f"{line['name'].partition('.')[0]}: {line['event']}": line for line in lines}


def reference_of(answer: Answer) -> str:
    return RequestId(answer.headers[HEADER]).reference


async def told(world: World, point: str) -> str:
    """Return the id that the tenant was told at the last request of a point."""
    entry = (await world.admin("GET", f"/requests?point={point}"))[-1]
    return str(entry["headers"][HEADER])


async def test_A6_a_sign_in_is_one_reference_to_the_authority_and_one_back(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await ada.sign_in()
    left, back = ada.seen[-2:]

    asked = parse_qs(urlsplit(left.headers["Location"]).query)
    assert asked[HEADER] == [left.headers[HEADER]], "Entra's own log names the sign-in by it"
    lines = found(log, reference_of(back))
    assert await told(world, "token.authorization_code") == back.headers[HEADER]
    assert lines["gateway: authorization-response"]["begun_by"] == reference_of(left)
    token = lines["servicekit: token-request"]
    assert (token["grant"], token["outcome"], token["status"]) == ("authorization_code", "granted", 200)
    assert uuid.UUID(token["ids"]["x-ms-request-id"]).version == 4
    assert lines["gateway: signed-in"]
    assert lines["gateway: request"]["request_id"] == back.headers[HEADER]


async def test_A6_what_a_person_reads_leads_to_graphs_id(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await ada.sign_in()
    good = await ada.call("GET", "/api/profile")
    assert await told(world, "graph.get_me") == good.headers[HEADER]
    assert {*found(log, reference_of(good))} == {"gateway: request"}, "a profile that is read is one line"

    await world.admin("PUT", "/faults/graph.get_me", {"status": 500})
    bad = await ada.call("GET", "/api/profile")

    assert bad.body["reference"] == reference_of(bad)
    lines = found(log, bad.body["reference"])
    answer = lines["servicekit: upstream-answer"]
    assert (answer["upstream"], answer["method"], answer["status"]) == ("graph", "GET", 500)
    assert answer["ids"][HEADER] == bad.headers[HEADER]
    assert uuid.UUID(answer["ids"]["request-id"]).version == 4
    assert lines["servicekit: problem"]["slug"] == lines["gateway: request"]["problem"]


async def test_A6_an_edit_with_step_up_is_found_in_both_services_at_graph_and_at_the_authority(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await ada.sign_in()
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    lines = found(log, refused.body["reference"])
    token = lines["servicekit: token-request"]
    assert (token["grant"], token["outcome"]) == ("refresh_token", "refused")
    assert token["refusal"].endswith("AADSTS50076")
    assert token["ids"]["correlation_id"] == refused.headers[HEADER]
    assert token["ids"]["trace_id"] == token["ids"]["x-ms-request-id"]
    assert token["ids"]["timestamp"].startswith("20")
    assert "polids" not in str(lines), "the claims that a policy demands"

    await ada.step_up(refused.body["redirect"])
    lines = found(log, reference_of(ada.seen[-1]))
    assert {"servicekit: token-request", "gateway: stepped-up", "gateway: request"} <= {*lines}

    saved = await ada.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert saved.status == 200
    lines = found(log, reference_of(saved))
    assert lines["resource_api: request"]["request_id"] == saved.headers[HEADER]
    assert lines["resource_api: profile-edited"]["fields"] == ["city"]
    assert lines["servicekit: token-request"]["grant"].endswith("jwt-bearer")
    answers = [
        (line["upstream"], line["status"])
        for line in log.lines()
        if line["event"] == "upstream-answer" and line["reference"] == reference_of(saved)
    ][-2:]
    assert answers == [("graph", 204), ("resource-api", 200)]
    for point in ("token.on_behalf_of", "graph.patch_me"):
        assert await told(world, point) == saved.headers[HEADER]


async def test_A6_a_failure_behind_the_api_has_the_reference_that_the_browser_shows(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await ada.sign_in()
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    await world.admin("PUT", "/faults/graph.patch_me", {"status": 403})

    failed = await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    lines = found(log, failed.body["reference"])
    assert {"resource_api: request", "gateway: request"} <= {*lines}
    problems = [
        line
        for line in log.lines()
        if line["event"] == "problem" and line["reference"] == failed.body["reference"]
    ]
    assert len(problems) == 2, "the API's and the gateway's"


async def test_A6_a_renewal_beside_a_request_has_its_reference(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 300})
    await ada.sign_in()
    world.forward(301)

    read = await ada.call("GET", "/api/profile")

    assert read.status == 200
    assert found(log, reference_of(read))["servicekit: token-request"]["grant"] == "refresh_token"
    assert await told(world, "token.refresh_token") == read.headers[HEADER]


async def test_A6_who_waits_for_another_requests_renewal_is_led_to_its_lines(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await world.admin("PUT", "/settings", {"access_token_seconds": 300})
    await ada.sign_in()
    world.forward(301)
    await world.admin("PUT", "/faults/token.refresh_token", {"delay_ms": 300, "times": 1})

    answers = await asyncio.gather(*(ada.call("GET", "/api/profile") for _ in range(3)))

    lines = [found(log, reference_of(answer)) for answer in answers]
    (renewing,) = [each for each in lines if "servicekit: token-request" in each]
    joined = [each["gateway: renewal-joined"]["begun_by"] for each in lines if each is not renewing]
    assert joined == [renewing["gateway: request"]["reference"]] * 2


async def test_A6_who_waits_for_another_requests_exchange_is_led_to_its_lines(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await ada.sign_in()
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    await world.admin("PUT", "/faults/token.on_behalf_of", {"delay_ms": 500, "times": 1})

    answers = await asyncio.gather(
        *(ada.call("PATCH", "/api/profile", {"city": city}) for city in ("Turin", "Rome"))
    )

    lines = [found(log, reference_of(answer)) for answer in answers]
    (exchanging,) = [each for each in lines if "servicekit: token-request" in each]
    (joined,) = [each["resource_api: exchange-joined"] for each in lines if each is not exchanging]
    assert joined["begun_by"] == exchanging["gateway: request"]["reference"]


@pytest.mark.parametrize("stepping_up", [False, True])
async def test_A6_a_refusal_on_the_way_back_names_the_authoritys_ids(
    world: World, ada: RecordingFrontEnd, log: ServiceLog, *, stepping_up: bool
) -> None:
    if stepping_up:
        await ada.sign_in()
    way = "/auth/step-up?action=profile.edit" if stepping_up else "/auth/sign-in"
    await world.admin("PUT", "/faults/authorize", {"aadsts": 65004})
    left = await ada.navigate(way)
    page = await ada.visitor.open(left.headers["Location"])

    led = parse_qs(urlsplit(await ada.come_back(page)).query)

    assert led["type"] == ["step-up-cancelled" if stepping_up else "sign-in-cancelled"]
    line = found(log, led["reference"][0])["gateway: authorization-response"]
    assert (line["outcome"], line["begun_by"]) == ("refused", reference_of(left))
    assert {*line["ids"]} == {"trace_id", "correlation_id", "timestamp"}
    assert "declined" not in log.getvalue(), "the description is for nobody's log"


async def test_A6_every_end_of_a_session_has_a_reference_in_its_answer_and_its_lines(
    world: World, ada: RecordingFrontEnd, log: ServiceLog
) -> None:
    await world.admin("PUT", "/settings", {"optional_claims": {GATEWAY: ["sid"]}})
    await ada.sign_in()
    sid = (await ada.call("GET", "/api/session/claims")).body["claims"]["sid"]
    ended = await (await world.front_end()).navigate(f"/auth/frontchannel-logout?sid={sid}")
    assert {"gateway: frontchannel-logout", "gateway: request"} <= {*found(log, reference_of(ended))}

    await ada.sign_in()
    out = await ada.call("POST", "/auth/sign-out")
    assert {"gateway: signed-out", "gateway: request"} <= {*found(log, reference_of(out))}


async def test_A6_a_back_channel_logout_has_a_reference(valkey: str) -> None:
    async with plain_world(valkey, BACKCHANNEL_LOGOUT="1") as world:
        await world.sign_in()
        with service_log() as log:
            answer = await world.sign_out_here(world.provider.logout_token())
        assert answer.status == 200
        assert found(log, reference_of(answer))["gateway: backchannel-logout"]["sessions"] == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/session",
        "/health/live",
        "/nowhere",
        "/api/profile",
        "/auth/step-up",
        "/problem",
        "/style.css",
    ],
)
async def test_A6_every_answer_names_its_request_and_no_stranger_chooses_the_name(
    world: World, log: ServiceLog, path: str
) -> None:
    person: OtherFrontEnd = await world.front_end()
    stranger = "00000000-0000-4000-8000-000000000000"
    names = (HEADER, "X-Request-ID", "X-Correlation-ID", "Request-Id", "traceparent")
    async with person.session.get(
        world.gateway_url + path, headers=dict.fromkeys(names, stranger), allow_redirects=False
    ) as response:
        identifier = response.headers[HEADER]

    assert identifier != stranger
    assert found(log, RequestId(identifier).reference)["gateway: request"]
    assert stranger not in log.getvalue()


async def test_A6_the_person_is_in_no_line_of_their_story(ada: RecordingFrontEnd, log: ServiceLog) -> None:
    await ada.sign_in()
    await ada.step_up("/auth/step-up?action=profile.edit&return_to=/edit")
    await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    await ada.call("POST", "/auth/sign-out")
    for canary in (ADA[0], "Lovelace", "Turin"):
        assert canary not in log.getvalue()
