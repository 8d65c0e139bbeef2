"""A person changes their own profile."""

from tests.unit.resource_api.stage import Stage

MEMBERS = {
    "id",
    "displayName",
    "givenName",
    "surname",
    "jobTitle",
    "streetAddress",
    "city",
    "state",
    "postalCode",
    "country",
    "preferredLanguage",
    "mail",
}


async def test_a_change_is_saved_and_the_whole_profile_comes_back(stage: Stage) -> None:
    told = await stage.patch({"city": "  Zürich ", "jobTitle": ""})

    assert told.status == 200
    assert told.headers["Content-Type"].startswith("application/json")
    assert set(told.body) == MEMBERS
    assert told.body["city"] == "Zürich"
    assert told.body["jobTitle"] is None
    held = await stage.held()
    assert held["city"] == "Zürich"
    assert held["jobTitle"] is None
