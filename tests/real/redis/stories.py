"""The product's story, for any Redis."""

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
