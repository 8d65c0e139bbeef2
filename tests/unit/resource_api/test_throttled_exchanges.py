"""Whom a 429 of the authority holds at on-behalf-of (L9)."""

from tests.unit.resource_api.stage import Stage

CHANGE = {"city": "Turin"}


async def test_L9_a_429_holds_the_person_that_it_was_about_and_nobody_else(stage: Stage) -> None:
    ada, grace = await stage.token(), await stage.token("grace@example.com")
    await stage.fault("token.on_behalf_of", status=429, retry_after=60, times=1)

    for _ in range(3):
        refused = await stage.patch(CHANGE, ada)
        assert (refused.status, refused.slug) == (503, "authority-unavailable")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        stage.clock.now += 15
    assert (await stage.patch(CHANGE, grace)).status == 200
    stage.clock.now += 15

    assert (await stage.patch(CHANGE, ada)).status == 200
