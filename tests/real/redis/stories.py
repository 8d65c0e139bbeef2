"""The product's story, for any Redis."""

import asyncio

from tests.stage.other_front_end import ADA
from tests.stage.world import World


async def the_story(world: World) -> None:
    """Sign in, look, edit after a second factor, see the list of sessions, and sign out."""
    ada, elsewhere = await world.front_end(), await world.signed_in()
    assert await ada.sign_in() == "/edit"
    assert (await ada.call("GET", "/api/profile")).body["city"] == "London"
    refused = await ada.call("PATCH", "/api/profile", {"city": "Paris"})
    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert await ada.step_up(f"{refused.body['redirect']}&return_to=/check") == "/check"
    saved = await ada.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert (saved.status, saved.body["city"]) == (200, "Paris")
    assert (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"] == "Paris"
    world.forward(600)
    assert (await ada.call("GET", "/api/profile")).status == 200
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert (await ada.call("GET", "/api/profile")).status == 401
    assert (await elsewhere.call("GET", "/api/profile")).status == 200, "another browser is another session"
    assert (await ada.navigate("/health/ready")).status == 200


async def the_limit_of_sessions(world: World) -> None:
    """Sign in more often than a person may, at once and one after another, and end all others.

    With MAX_SESSIONS_PER_PERSON=2.
    """
    people = [await world.front_end() for _ in range(4)]

    async def alive() -> int:
        answers = [await person.call("GET", "/api/session") for person in people]
        return sum(answer.body["authenticated"] for answer in answers)

    for person in people[:3]:
        assert await person.sign_in() == "/edit"
        world.forward(1)
    assert await alive() == 2
    told = await people[0].call("GET", "/api/profile")
    assert (told.status, told.body["reason"]) == (401, "too-many-sessions")
    assert sorted(await asyncio.gather(people[0].sign_in(), people[3].sign_in())) == ["/edit", "/edit"]
    assert await alive() == 2
    here = people[3] if (await people[3].call("GET", "/api/profile")).status == 200 else people[0]
    assert (await here.call("DELETE", "/api/sessions")).body == {"ended": 1}
    assert await alive() == 1
    assert len((await here.call("GET", "/api/sessions")).body["sessions"]) == 1
