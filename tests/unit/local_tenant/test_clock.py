"""A clock that is set wrong: tokens and the ``Date`` header move together (row T7)."""

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.stage.tenant import GATEWAY, TENANT_ID, Answer, World, claims_of

EVERYWHERE = [
    ("GET", f"/{TENANT_ID}/v2.0/.well-known/openid-configuration"),
    ("GET", f"/{TENANT_ID}/discovery/v2.0/keys"),
    ("GET", f"/{TENANT_ID}/oauth2/v2.0/authorize"),
    ("GET", f"/{TENANT_ID}/oauth2/v2.0/logout"),
    ("POST", f"/{TENANT_ID}/oauth2/v2.0/token"),
    ("OPTIONS", f"/{TENANT_ID}/oauth2/v2.0/token"),
    ("GET", "/v1.0/me"),
    ("PATCH", "/v1.0/me"),
    ("GET", "/v1.0/nothing"),
    ("GET", "/oidc/userinfo"),
    ("GET", "/nowhere/at/all"),
    ("GET", "/health/live"),
]


def date_of(answer: Answer) -> float:
    return parsedate_to_datetime(answer.headers["Date"]).timestamp()


@pytest.mark.parametrize("offset", [600, -600, 86_400])
async def test_T7_the_date_of_every_answer_follows_the_clock_that_is_set_wrong(
    world: World, offset: int
) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": offset})
    for method, path in EVERYWHERE:
        answer = await world.ask(method, path)
        assert date_of(answer) == int(world.clock.now + offset), (method, path)


async def test_T7_tokens_and_the_date_tell_the_same_time(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": 900})
    tokens = await world.signed_in()
    assert claims_of(tokens.body["id_token"])["iat"] == date_of(tokens)
    read = await world.me(tokens.body["access_token"])
    assert (read.status, date_of(read)) == (200, int(world.clock.now + 900))


async def test_T7_what_is_refused_says_the_same_time_in_its_text(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": -900})
    refused = await world.token({"grant_type": "refresh_token", "client_id": GATEWAY})
    stamp = datetime.strptime(refused.body["timestamp"], "%Y-%m-%d %H:%M:%S%z")
    assert stamp.timestamp() == date_of(refused)


async def test_T7_an_answer_that_fails_on_order_says_that_time_too(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": 600})
    for point, path in (("keys", f"/{TENANT_ID}/discovery/v2.0/keys"), ("graph.get_me", "/v1.0/me")):
        await world.ask("PUT", f"/admin/faults/{point}", json={"status": 503})
        answer = await world.ask("GET", path)
        assert (answer.status, date_of(answer)) == (503, int(world.clock.now + 600))


async def test_T7_reset_sets_the_clock_right(world: World) -> None:
    await world.ask("PUT", "/admin/settings", json={"clock_offset_seconds": 600})
    await world.ask("POST", "/admin/reset")
    assert date_of(await world.ask("GET", "/health/live")) == int(world.clock.now)
