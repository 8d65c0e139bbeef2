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
    answer = await stage.patch({"city": "  Zürich ", "jobTitle": ""})

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert set(answer.body) == MEMBERS
    assert answer.body["city"] == "Zürich"
    assert answer.body["jobTitle"] is None
    held = await stage.held()
    assert held["city"] == "Zürich"
    assert held["jobTitle"] is None
