"""A8: what anybody can write into an address of ours: it puts no words into our mouth, and leads nowhere else."""

from urllib.parse import quote

from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person

CALL = "Call 0900-123456 at once"
# Whatever a page might show or follow, none of it in the form that the gateway gives it.
MADE_UP = {
    "type": ["made-up", "__proto__", "constructor", "offline.title", "<b>x</b>", CALL, ""],
    "reference": [
        CALL,
        "call-0900123456",
        "7k2m-9qxr",
        "7K2M-9QXR\n",
        "<img src=x>",
        "7K2M-9QXR 0900-123456",
    ],
}


async def test_A8_S56_a_problem_s_page_shows_nothing_of_its_address_that_is_not_in_the_gateway_s_form(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.opens()
    await ada.sees("signed-out")

    for text in MADE_UP["type"]:
        await ada.goes_to(
            f"/problem?type={quote(text)}&reference=7K2M-9QXR&detail={quote(CALL)}&title={quote(CALL)}"
        )
        await ada.sees("not-found")
        await expect(page.locator("#main")).not_to_contain_text("0900")
        await ada.goes_to("/")
        await ada.sees("signed-out")
    for text in MADE_UP["reference"]:
        await ada.goes_to(f"/problem?type=sign-in-failed&reference={quote(text)}&retry={quote(CALL)}")
        await ada.sees_problem("sign-in-failed")
        await expect(page.locator(".reference, .wait")).to_have_count(0)
        await ada.goes_to("/")
        await ada.sees("signed-out")

    await ada.goes_to("/problem?type=sign-in-failed&reference=7K2M-9QXR")
    await expect(page.locator(".reference")).to_have_text("Reference to quote: 7K2M-9QXR")


async def test_A5_A8_the_wait_of_a_limit_is_shown_as_a_number_and_where_there_is_a_limit_alone(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.opens("/problem?type=too-many-requests&retry_after=40&return_to=/edit")
    await expect(page.locator(".wait")).to_have_text("You can try again in 40 seconds.")

    for text in ("0900-123456", "99999", "-1", "1e3", "4 0", "40\r\nX: y", CALL):
        await ada.goes_to("/")
        await ada.sees("signed-out")
        await ada.goes_to(f"/problem?type=too-many-requests&retry_after={quote(text)}")
        await ada.sees_problem("too-many-requests")
        await expect(page.locator(".wait")).to_have_count(0)
    await ada.goes_to("/problem?type=access-blocked&retry_after=40")
    await ada.sees_problem("access-blocked")
    await expect(page.locator(".wait")).to_have_count(0)


async def test_A8_S9_the_way_on_from_a_problem_s_page_is_one_of_ours_whatever_its_address_says(
    page: Page, stack: Stack
) -> None:
    ada = Person(page, stack)
    await ada.has_signed_in()

    for way in (
        "/.//evil.example",
        "/..//evil.example",
        "/%2e//evil.example",
        "//evil.example",
        "/./\\evil.example",
    ):
        await ada.goes_to(f"/problem?type=sign-in-failed&return_to={quote(way, safe='')}")
        await ada.sees_problem("sign-in-failed")
        await ada.presses("Start again")
        await ada.sees("profile")
        assert page.url == f"{stack.gateway_url}/"
