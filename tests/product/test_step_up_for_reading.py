"""A step-up that reading asked for brings a token for reading: none for editing, and no leave to edit (E03, S27)."""

import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.tokens.resources import Resource
from tests.product.test_tokens import READ, end_of_token, live
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.plain_world import plain_world
from tests.stage.stored import stored_token
from tests.stage.tenant import EDIT
from tests.stage.world import World

CONTEXT = "a-context-of-this-test"
CLAIMS = json.dumps({"access_token": {"acrs": {"essential": True, "value": CONTEXT}}})
EDITING = Resource("edit", EDIT)


async def graph_asks(world: World) -> None:
    """Graph refuses the token and names claims."""
    await world.admin("PUT", "/faults/graph.get_me", {"status": 401, "claims": CLAIMS, "times": 1})


async def the_authority_asks(world: World) -> None:
    """The authority refuses to renew the token for Graph and names claims."""
    refusal = {"aadsts": 50076, "claims": CLAIMS, "times": 1}
    await world.admin("PUT", "/faults/token.refresh_token", refusal)


Demander = Callable[[World], Awaitable[None]]


async def challenged(world: World, ada: OtherFrontEnd, demander: Demander = graph_asks) -> Answer:
    """Read the profile when that needs more proof."""
    if demander is the_authority_asks:
        await end_of_token(world, ada, 0)
    await demander(world)
    refused = await ada.call("GET", "/api/profile")
    assert (refused.status, refused.slug, refused.body["scope"]) == (403, "step-up-required", READ.scope)
    assert CONTEXT not in refused.text
    return refused


@pytest.mark.parametrize("demander", [graph_asks, the_authority_asks])
async def test_E03_a_token_for_reading_is_never_kept_or_sent_as_one_for_editing(
    world: World, demander: Demander, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await world.signed_in()
    refused = await challenged(world, ada, demander)
    redirect = await ada.navigate(refused.body["redirect"])
    query = parse_qs(urlsplit(redirect.headers["Location"]).query)
    assert query["claims"] == [CLAIMS]
    assert EDIT not in query["scope"][0]

    assert await ada.step_up(f"{refused.body['redirect']}&return_to=/edit") == "/edit"

    session = await live(world, ada)
    assert await stored_token(session, READ) is not None
    assert await stored_token(session, EDITING) is None
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "step-up"}
    assert (await ada.call("GET", "/api/profile")).status == 200
    caplog.clear()
    edit = await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    assert (edit.status, edit.slug, edit.body["scope"]) == (403, "step-up-required", EDIT)
    assert not [record for record in caplog.records if "invalid-token" in str(vars(record))], (
        "the API was shown nothing"
    )


async def test_a_step_up_for_reading_takes_no_confirmation_away(world: World) -> None:
    ada = await world.confirmed()
    refused = await challenged(world, ada)

    await ada.step_up(f"{refused.body['redirect']}&return_to=/edit")

    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}
    assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200


async def test_S31_reading_that_asks_again_and_again_ends_in_an_explanation(world: World) -> None:
    ada = await world.signed_in()
    for _ in range(3):
        await ada.step_up((await challenged(world, ada)).body["redirect"])
    await graph_asks(world)

    looped = await ada.call("GET", "/api/profile")

    assert (looped.status, looped.slug) == (429, "step-up-loop")


async def test_S30_confirmations_after_which_reading_works_are_no_loop(world: World) -> None:
    ada = await world.signed_in()
    for _ in range(5):
        await ada.step_up((await challenged(world, ada)).body["redirect"])
        assert (await ada.call("GET", "/api/profile")).status == 200


async def test_S30_an_edit_that_works_hides_no_loop_of_reading(world: World) -> None:
    ada = await world.confirmed()
    for _ in range(3):
        await ada.step_up((await challenged(world, ada)).body["redirect"])
        assert (await ada.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200
    await graph_asks(world)

    assert (await ada.call("GET", "/api/profile")).slug == "step-up-loop"


async def test_elsewhere_than_at_entra_the_refresh_token_goes_on_to_reach_both(valkey: str) -> None:
    async with plain_world(valkey) as world:
        await world.sign_in()
        await world.sent(await world.answered("/auth/step-up"))
        world.provider.read_demand = 'Bearer error="insufficient_claims", claims="e30="'
        refused = await world.person.call("GET", "/api/profile")
        assert refused.slug == "step-up-required"

        answer = await world.answered(refused.body["redirect"])
        world.provider.read_demand = ""
        assert await world.sent(answer) == "/"

        assert (await world.person.call("GET", "/api/profile")).status == 200
        assert (await world.person.call("PATCH", "/api/profile", {"city": "Rome"})).status == 200
