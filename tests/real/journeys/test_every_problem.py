"""The screen of every problem, in words that fit and that everybody gets."""

import pytest

from devstack.stack import Stack
from tests.real.journeys.judged import every_fault, faults_of_words
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext
from tests.unit.spa.files import problem_rows

# One of each tone; the others differ in words and buttons.
THOROUGHLY = {"misconfigured", "step-up-cancelled", "not-found"}


# German words are longer, so that what fits in German fits.
@pytest.mark.parametrize("locale, signed_in", [("de-DE", False), ("en-GB", True)])
async def test_D8_U11_U15_U18_no_problem_s_screen_has_a_fault(
    new_context: NewContext, stack: Stack, locale: str, *, signed_in: bool
) -> None:
    page = await (await new_context(locale=locale)).new_page()
    ada = Person(page, stack)
    if signed_in:
        await ada.has_signed_in()
    else:
        await ada.opens()
        await ada.sees("signed-out")

    faults = {}
    for slug in problem_rows():
        await ada.goes_to(f"/problem?type={slug}&reference=7K2M-9QXR&return_to=/edit")
        await ada.sees_problem(slug)
        faults[slug] = await (every_fault(page) if slug in THOROUGHLY else faults_of_words(page))

    assert {slug: found for slug, found in faults.items() if found} == {}
