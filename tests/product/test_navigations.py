"""Flows begin by a person's own wish, and by nobody else's (S10)."""

import pytest

from tests.stage.witnesses import ask, asked_in_all, commands, forget_commands, records
from tests.stage.world import World


@pytest.mark.parametrize("path", ["/auth/sign-in", "/auth/sign-up", "/auth/step-up?action=profile.edit"])
async def test_S10_frames_images_and_prefetches_begin_nothing(world: World, path: str) -> None:
    ada = await world.signed_in()
    keys = records(await world.keys())
    requests = await asked_in_all(world)
    await forget_commands(world.redis)

    for headers in (
        *(
            {"Sec-Fetch-Dest": dest}
            for dest in ("iframe", "frame", "image", "script", "style", "empty", "object", "")
        ),
        {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch"},
        {"Sec-Fetch-Dest": "document", "Sec-Purpose": "prefetch;prerender"},
        {"Sec-Purpose": "prefetch"},
    ):
        answer = await ask(ada, "GET", path, headers)
        assert (answer.status, answer.slug) == (403, "cross-origin-refused"), headers
        assert "Set-Cookie" not in answer.headers

    assert await commands(world.redis) == 0
    assert (records(await world.keys()), await asked_in_all(world)) == (keys, requests)


@pytest.mark.parametrize(
    "path", ["/auth/sign-in?return_to=/edit", "/auth/sign-up", "/auth/step-up?challenge=x"]
)
async def test_S10_a_link_on_a_foreign_page_leads_to_our_first_page_and_begins_nothing(
    world: World, path: str
) -> None:
    ada = await world.signed_in()
    keys = records(await world.keys())
    await forget_commands(world.redis)

    for site in ("cross-site", "same-site"):
        answer = await ask(ada, "GET", path, {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"})
        assert (answer.status, answer.headers["Location"]) == (303, "/")
        assert "Set-Cookie" not in answer.headers

    assert await commands(world.redis) == 0
    assert records(await world.keys()) == keys


async def test_S10_a_typed_address_and_our_own_link_do_begin(world: World) -> None:
    person = await world.front_end()

    for site in ("none", "same-origin"):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
        answer = await ask(person, "GET", "/auth/sign-in", headers)
        assert answer.headers["Location"].startswith(world.tenant_url)


async def test_S10_scope_prompt_and_claims_never_come_from_the_query(world: World) -> None:
    person = await world.front_end()
    evil = "&scope=Mail.Read&prompt=none&claims=%7B%7D&acr_values=evil&login_hint=evil@evil.example&resource=evil"

    answer = await person.navigate(f"/auth/sign-in?return_to=/{evil}")

    for word in ("Mail.Read", "prompt=", "claims=", "acr_values", "evil", "resource="):
        assert word not in answer.headers["Location"]


async def test_S10_one_browser_has_five_flows_at_most(world: World) -> None:
    person = await world.front_end()

    for _ in range(8):
        world.forward(1)
        await person.navigate("/auth/sign-in")

    names = [cookie.key for cookie in person.session.cookie_jar if cookie.key.startswith("__Host-Http-flow-")]
    assert len(names) == 5
