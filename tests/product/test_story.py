"""The whole story through the JSON endpoints, as another front end would tell it."""

from tests.stage.other_front_end import ADA, GRACE
from tests.stage.world import World


async def test_a_person_signs_in_sees_edits_after_mfa_and_signs_out(world: World) -> None:
    ada = await world.front_end()
    before = await ada.call("GET", "/api/session")
    assert before.body == {"authenticated": False, "sign_in": "/auth/sign-in", "sign_up": "/auth/sign-up"}

    assert await ada.sign_in() == "/edit"
    session = (await ada.call("GET", "/api/session")).body
    assert session["user"]["username"] == "ada@example.com"
    assert session["access"] == {"profile.edit": "step-up"}
    profile = await ada.call("GET", "/api/profile")
    assert profile.body["city"] == "London"
    assert await _inbox(world) == [], "nobody asks for a second factor just to look"

    refused = await ada.call(
        "PATCH", "/api/profile", {"city": "Paris"}, headers={"If-Match": profile.headers["ETag"]}
    )
    assert (refused.status, refused.slug) == (403, "step-up-required")
    assert await ada.step_up(f"{refused.body['redirect']}&return_to=/check") == "/check"

    parked = await ada.call("GET", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert parked.body["changes"] == [{"field": "city", "from": "London", "to": "Paris"}]
    saved = await ada.call("POST", f"/api/parked-edits/{parked.body['id']}")
    assert (saved.status, saved.body["city"]) == (200, "Paris")
    assert (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"] == "Paris"

    again = await ada.call("PATCH", "/api/profile", {"city": "Turin"})
    assert (again.status, again.body["city"]) == (200, "Turin"), "no second challenge"
    assert (await ada.call("GET", "/api/session")).body["access"] == {"profile.edit": "granted"}

    old = ada.cookie()
    gone = await ada.call("POST", "/auth/sign-out")
    assert gone.body["redirect"].startswith(world.tenant_url)
    assert not ada.cookie()
    late = await ada.call("GET", "/api/profile", headers={"Cookie": f"__Host-Http-session={old}"})
    assert (late.status, late.slug, late.body["reason"]) == (401, "sign-in-required", "signed-out")


async def test_a_person_signs_up_and_is_signed_in(world: World) -> None:
    person = await world.front_end()
    page = await person.leave("/auth/sign-up?return_to=/")
    page = await person.visitor.submit(
        page, email="hedy@example.com", password="Frequency-Hopping-1942", display_name="Hedy Lamarr"
    )
    if "code" in page.form.inputs and "state" not in page.form.inputs:
        page = await person.visitor.submit(page, code=await person.visitor.newest_code("hedy@example.com"))

    assert await person.come_back(page) == "/"

    profile = (await person.call("GET", "/api/profile")).body
    assert profile["displayName"] == "Hedy Lamarr"


async def test_people_of_two_browsers_never_meet(world: World) -> None:
    ada, grace = await world.signed_in(), await world.front_end()
    await grace.sign_in(GRACE)

    assert (await ada.call("GET", "/api/profile")).body["displayName"] == "Ada Lovelace"
    assert (await grace.call("GET", "/api/profile")).body["displayName"] == "Grace Hopper"


async def _inbox(world: World) -> object:
    person = await world.front_end()
    async with person.session.get(
        f"{world.tenant_url}/inbox", params={"to": ADA[0]}, headers={"Accept": "application/json"}
    ) as response:
        return await response.json()
