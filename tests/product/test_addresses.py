"""No address that a browser is sent to says who the person is: histories and proxies keep them (A8, S32, S35)."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.stage.other_front_end import ADA, GRACE
from tests.stage.plain_provider import ISSUER
from tests.stage.plain_world import plain_world
from tests.stage.tenant import GATEWAY
from tests.stage.witnesses import RecordingFrontEnd, recording
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"


@pytest.fixture
async def ada(world: World) -> AsyncIterator[RecordingFrontEnd]:
    async with recording(world) as person:
        yield person


def addresses(seen: RecordingFrontEnd) -> list[str]:
    """Return every address that the gateway's answers name for the browser to go to, decoded twice."""
    led = [answer.headers["Location"] for answer in seen.seen if "Location" in answer.headers]
    bodies = [answer.body for answer in seen.seen if "json" in answer.headers.get("Content-Type", "")]
    led += [str(body["redirect"]) for body in bodies if "redirect" in body]
    return [unquote(unquote(address)).casefold() for address in led]


@pytest.mark.parametrize("optional", [[], ["login_hint", "sid", "email"]], ids=["as it comes", "with a hint"])
async def test_A8_S32_S35_no_address_of_the_story_names_the_person(
    world: World, ada: RecordingFrontEnd, optional: list[str]
) -> None:
    await world.admin("PUT", "/settings", {"optional_claims": {GATEWAY: optional}})
    await ada.navigate("/auth/sign-up?return_to=/edit")
    await ada.sign_in()
    claims = (await ada.call("GET", "/api/session/claims")).body["claims"]
    refused = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    await ada.step_up(refused.body["redirect"])
    await world.admin("PUT", "/faults/authorize", {"aadsts": 65004})
    left = await ada.navigate(STEP_UP)
    await ada.come_back(await ada.visitor.open(left.headers["Location"]))
    await world.admin("DELETE", "/faults")
    await ada.step_up("/auth/step-up?challenge=forgotten&return_to=/edit")
    await ada.call("POST", "/auth/sign-out")
    await ada.call("GET", "/api/profile")

    named = {str(claims[name]) for name in ("oid", "sub", "name", "preferred_username")}
    named |= {ADA[0], ADA[0].partition("@")[0] + "@", "Lovelace", "@example"}
    seen = addresses(ada)
    assert len(seen) > 8
    assert [(name, address) for name in named for address in seen if name.casefold() in address] == []


async def test_A8_with_the_hint_the_authority_knows_whom_to_ask_at_step_up_and_at_sign_out(
    world: World, ada: RecordingFrontEnd
) -> None:
    await world.admin("PUT", "/settings", {"optional_claims": {GATEWAY: ["login_hint"]}})
    await ada.sign_in()
    hint = (await ada.call("GET", "/api/session/claims")).body["claims"]["login_hint"]

    asked = parse_qs(urlsplit((await ada.navigate(STEP_UP)).headers["Location"]).query)
    out = parse_qs(urlsplit((await ada.call("POST", "/auth/sign-out")).body["redirect"]).query)

    assert (asked["login_hint"], out["logout_hint"]) == ([hint], [hint])


async def test_A8_without_the_hint_the_authority_still_knows_the_browser(
    ada: RecordingFrontEnd,
) -> None:
    await ada.sign_in()
    location = (await ada.navigate(STEP_UP)).headers["Location"]
    assert "hint" not in location.casefold()
    assert "AnchorMailbox" not in location

    page = await ada.visitor.open(location)
    assert "password" not in page.form.inputs, "the authority knows this browser"
    assert await ada.step_up(STEP_UP) == "/edit"


@pytest.mark.parametrize("claim", ["login_hint", "preferred_username", "email", "sub"])
async def test_A8_no_claim_of_another_provider_gets_into_an_address(valkey: str, claim: str) -> None:
    async with plain_world(valkey) as world:
        provider = world.provider
        provider.shape = lambda claims: provider.signing.token({**claims, claim: GRACE[0]})
        assert await world.sign_in() == "/edit"

        step_up = (await world.person.navigate(STEP_UP)).headers["Location"]
        out = (await world.person.call("POST", "/auth/sign-out")).body["redirect"]

        assert step_up.startswith(f"{ISSUER}/authorize")
        assert [word for word in ("grace", "hint") if word in unquote(step_up + out).casefold()] == []
