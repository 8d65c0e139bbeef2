"""S35: no token, no secret and nothing about a person is in the API's log, whatever goes wrong, at any level."""

import base64
import json
from collections.abc import Callable

from local_tenant.signing import SigningKey
from tests.stage.tenant import API_SECRET, claims_of
from tests.unit.resource_api.graph_double import Act, graph_double
from tests.unit.resource_api.stage import Stage, running_api
from tests.unit.servicekit.service_log import service_log

PERSON = {"city": "Canary-Town", "displayName": "Canary Person", "streetAddress": "1 Canary Street"}
CLAIMS = {"access_token": {"capolids": {"essential": True, "values": ["canary-policy"]}}}


async def everything_goes_wrong(stage: Stage) -> None:
    """Send what is refused at each step, and let the authority fail in each of its ways."""
    token = await stage.token()
    for broken in (token[:-3], f"{token}x", token.replace(".", ""), "canary-token"):
        await stage.patch(PERSON, broken)
    for changed in ({"scp": "Canary.Scope"}, {"azp": "canary-client"}, {"aud": "canary-audience"}):
        await stage.patch(PERSON, stage.forged(**changed))
    await stage.patch({**PERSON, "canaryField": "x", "city": "\u202eCanary"})
    await stage.patch(b'{"city": "Canary-Town", "city": "Canary"}')
    await stage.send("PATCH", f"/profile?access_token={token}&canary=1", json=PERSON)
    await stage.send("GET", "/canary-path")
    for fault in (
        {"aadsts": 50076, "claims": json.dumps(CLAIMS)},
        {"aadsts": 65001},
        {"aadsts": 7000215},
        {"aadsts": 500133},
        {"status": 500},
        {"status": 502, "body": "html"},
        {"body": "reset"},
    ):
        await stage.fault("token.on_behalf_of", **fault)
        await stage.patch(PERSON)
    await stage.world.ask("DELETE", "/admin/faults")


async def test_S35_nothing_of_a_token_or_a_person_is_in_the_log_when_all_goes_wrong(
    signing_keys: Callable[[], SigningKey],
) -> None:
    refused = {
        "error": {"code": "Request_BadRequest", "message": "canary", "details": [{"target": "canary"}]}
    }
    with service_log("DEBUG") as log:
        async with graph_double() as double, running_api(signing_keys, graph=double.url) as stage:
            claims = claims_of(await stage.token())
            double.profile |= {"id": claims["oid"], **PERSON}
            await everything_goes_wrong(stage)
            stage.clock.now += 60  # the authority is left alone for a while after so many failures
            double.patches = [
                Act(status=400, applies=False, body=refused),
                Act(status=403, applies=False, body=refused),
                Act(status=500, applies=False),
                Act(answers=False),
                Act(),
            ]
            answers = [(await stage.patch({"city": f"Canary-{number}"})).status for number in range(5)]
            tokens = [headers["Authorization"].removeprefix("Bearer ") for _, headers, _ in double.seen]

    assert answers == [422, 403, 502, 200, 200]
    logged = log.getvalue()
    events = {line["event"] for line in log.lines()}
    assert {"problem", "profile-edited", "unclear-write-was-saved", "on-behalf-of-misconfigured"} <= events
    secrets = [await stage.token(), *tokens, API_SECRET, claims["oid"], claims["sub"], json.dumps(CLAIMS)]
    parts = [part for secret in secrets for part in secret.split(".") if len(part) > 8]
    encoded = [base64.b64encode(part.encode()).decode()[:20] for part in parts]
    assert [part for part in [*parts, *encoded] if part in logged] == []
    assert "canary" not in logged.lower()
    assert "@example.com" not in logged
