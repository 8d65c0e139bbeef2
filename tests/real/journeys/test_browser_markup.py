"""Values that look like markup are text on every screen that shows them."""

from typing import Final

from playwright.async_api import Page, expect

from devstack.stack import Stack
from tests.real.journeys.person import Person

_PASSWORD: Final = "Canal-Row-1934"
PROFILE: Final = {
    "displayName": "<img src=x onerror=\"document.title='met'\">",
    "givenName": "</dd><script>document.title='met'</script>",
    "surname": "<svg onload=alert(1)>",
    "jobTitle": "{{7*7}} ${7*7} <b>bold</b>",
    "streetAddress": "\"><iframe srcdoc='<script>parent.document.title=1</script>'>",
    "city": "&lt;i&gt; &amp; &#60;i&#62;",
    "state": "javascript:alert(1)",
    "postalCode": "'--><style>*{display:none}</style>",
}


async def test_S56_what_looks_like_markup_is_shown_as_it_was_written(page: Page, stack: Stack) -> None:
    mallory = Person(page, stack, "mallory@example.com", _PASSWORD)
    await mallory.admin(
        "POST", "/people", {"email": mallory.email, "password": _PASSWORD, "profile": PROFILE}
    )

    await mallory.has_signed_in()
    for name, value in PROFILE.items():
        await expect(page.locator(f"[data-field={name}] bdi")).to_have_text(value)
    await mallory.goes_to("/sign-in-details")
    await mallory.sees("claims")
    await expect(page.locator("main")).to_contain_text(PROFILE["displayName"])
    await mallory.has_confirmed()
    for label, name in (("City", "city"), ("Job title", "jobTitle"), ("Postal code", "postalCode")):
        await expect(page.get_by_role("textbox", name=label)).to_have_value(PROFILE[name])

    strange = "main :is(script, iframe, style, svg, b, i, img):not([aria-hidden])"
    assert await page.locator(strange).count() == 0
    assert await page.title() != "met"
