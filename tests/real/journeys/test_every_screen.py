"""Every screen and state, as people with different eyes, ears and windows get it."""

from typing import Final

import pytest
from playwright.async_api import Page

from devstack.stack import Stack
from tests.real.journeys.activity_screens import ACTIVITY_SCREENS
from tests.real.journeys.judged import every_fault
from tests.real.journeys.person import Person
from tests.real.journeys.screens import SCREENS
from tests.stage.browser import PageFaults

ALL: Final = {**SCREENS, **ACTIVITY_SCREENS}


@pytest.mark.parametrize("name", ALL)
async def test_D8_U14_U15_U18_no_screen_has_a_fault_in_either_theme_or_in_a_small_window(
    page: Page, stack: Stack, page_faults: PageFaults, name: str
) -> None:
    # What the browser tells of where a way leads to no connection, or to no page.
    page_faults.expect("ERR_INTERNET_DISCONNECTED|404.*no-such-page")

    await ALL[name](Person(page, stack))

    assert await every_fault(page) == []
