"""U21: an edit with `If-Match` is made to the profile that its caller saw, or not at all (RFC 9110, section 13.1.1)."""

import asyncio

import pytest

from resource_api.profile import MEMBERS
from servicekit.http.conditions import etag_of
from tests.unit.resource_api.graph_double import Act, GraphDouble
from tests.unit.resource_api.stage import QUICK, Answer, Stage

ANOTHER = '"0123456789abcdef0123456789abcdef"'


@pytest.fixture
def stage(stage_before_double: Stage) -> Stage:
    """Let Graph be the double."""
    return stage_before_double


async def conditional(stage: Stage, condition: str, **changes: str) -> Answer:
    """Change something on a condition."""
    return await stage.patch(changes, headers={"If-Match": condition})


def current(double: GraphDouble) -> str:
    """Return the entity tag of what Graph holds."""
    return etag_of(double.profile)


@pytest.mark.parametrize("condition", ["{}", "*", "{}, W/{}", f"{ANOTHER}, {{}}", 'W/"x",{}'])
async def test_U21_an_edit_of_what_the_caller_saw_is_made_and_has_the_next_tag(
    stage: Stage, double: GraphDouble, condition: str
) -> None:
    saved = await conditional(stage, condition.replace("{}", current(double)), city="Turin")
    again = await conditional(stage, saved.headers["ETag"], city="Rome")

    assert (saved.status, saved.body["city"], again.status) == (200, "Turin", 200)
    assert set(saved.body) == {*MEMBERS, "before"}
    assert (saved.body["before"], again.body["before"]) == ({"city": "London"}, {"city": "Turin"})
    assert again.headers["ETag"] == current(double) == etag_of({name: again.body[name] for name in MEMBERS})
    assert [len(double.sent(method)) for method in ("GET", "PATCH")] == [2, 2], (
        "one reading and one write each"
    )


@pytest.mark.parametrize("condition", [ANOTHER, "W/{}", f'W/{{}}, {ANOTHER}, ""', '"*"'])
async def test_U21_an_edit_of_anything_else_writes_nothing_and_shows_what_is_there(
    stage: Stage, double: GraphDouble, condition: str
) -> None:
    refused = await conditional(stage, condition.replace("{}", current(double)), city="Turin")

    assert (refused.status, refused.slug) == (412, "profile-changed")
    assert refused.body["profile"] == double.profile
    assert refused.headers["ETag"] == current(double)
    assert double.sent("PATCH") == []


async def test_U21_a_condition_on_no_change_is_judged_too(stage: Stage, double: GraphDouble) -> None:
    assert (await conditional(stage, ANOTHER)).status == 412
    assert (await conditional(stage, current(double))).headers["ETag"] == current(double)
    assert double.sent("PATCH") == []


@pytest.mark.parametrize("condition", ["", "x", '"a" "b"', "*, *", 'w/"a"'])
async def test_U21_what_is_no_condition_is_refused_before_graph_is_asked(
    stage: Stage, double: GraphDouble, condition: str
) -> None:
    answer = await conditional(stage, condition, city="Turin")

    assert (answer.status, answer.slug, double.seen) == (400, "bad-request", [])


async def test_U21_two_lines_are_one_list(stage: Stage, double: GraphDouble) -> None:
    headers = [("If-Match", ANOTHER), ("If-Match", current(double)), ("Content-Type", "application/json")]
    headers.append(("Authorization", f"Bearer {await stage.token()}"))

    answer = await stage.send("PATCH", "/profile", data=b'{"city": "Turin"}', headers=headers)

    assert answer.status == 200


async def test_U21_who_may_not_edit_learns_nothing_by_a_condition(stage: Stage, double: GraphDouble) -> None:
    answer = await stage.patch({"city": "Turin"}, stage.forged(scp="Another"), {"If-Match": ANOTHER})
    wrong = await stage.patch({"shoe": "43"}, headers={"If-Match": ANOTHER})

    assert (answer.status, wrong.status, double.seen) == (403, 422, [])


async def test_U21_without_a_condition_the_answer_is_the_profile_and_its_tag(
    stage: Stage, double: GraphDouble
) -> None:
    answer = await stage.patch({"city": "Turin"})

    assert (answer.status, set(answer.body)) == (200, set(MEMBERS))
    assert answer.headers["ETag"] == current(double)


async def test_U21_R18_a_write_whose_answer_is_lost_is_told_as_saved_on_a_condition_too(
    stage: Stage, double: GraphDouble
) -> None:
    double.patches = [Act(answers=False)]

    answer = await conditional(stage, current(double), city="Turin")

    assert (answer.status, answer.headers["ETag"]) == (200, current(double))


async def test_U21_of_many_who_saw_the_same_profile_and_come_one_after_another_one_is_first(
    stage: Stage, double: GraphDouble
) -> None:
    seen = current(double)

    answers = [await conditional(stage, seen, city=f"{number}") for number in range(4)]

    assert [answer.status for answer in answers] == [200, 412, 412, 412]
    assert double.sent("PATCH") == [{"city": "0"}]


async def test_U21_of_many_who_saw_the_same_profile_and_come_at_once_one_saves(
    stage: Stage, double: GraphDouble
) -> None:
    seen = current(double)
    double.patches = [Act(delay=0.1)]

    answers = await asyncio.gather(*(conditional(stage, seen, city=f"{number}") for number in range(5)))

    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]
    assert len(double.sent("PATCH")) == 1


async def test_U21_nobody_waits_for_an_edit_that_hangs_longer_than_for_graph_itself(
    stage: Stage, double: GraphDouble
) -> None:
    seen = current(double)
    reached = asyncio.Event()

    async def note() -> None:
        reached.set()

    double.patches, double.after_patch = [Act(delay=QUICK.pause + 0.3)], note
    hanging = asyncio.create_task(conditional(stage, seen, city="Turin"))
    await reached.wait()

    behind = await conditional(stage, seen, city="Rome")
    beside = await stage.patch({"state": "Piedmont"})

    assert (behind.status, behind.slug, behind.body["outcome"]) == (502, "resource-unavailable", "not-saved")
    assert beside.status == 200, "without a condition there is nothing to wait for"
    assert (await hanging).status == 200
    assert [tuple(one) for one in double.sent("PATCH")] == [("city",), ("state",)]
