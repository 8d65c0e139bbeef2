"""Signing out by a form that posts itself: through the page's own policy, the authority, and back."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Request

from devstack.stack import running_stack
from tests.real.journeys.person import Person
from tests.stage.browser import NewContext
from tests.stage.ports import free_ports


async def test_W10_a_person_signs_out_by_a_form_that_posts_itself(
    tmp_path: Path, new_context: NewContext
) -> None:
    running = running_stack(tmp_path, ports=free_ports(), env_overrides={"GATEWAY_ID_TOKEN_HINT": "1"})
    stack = await asyncio.to_thread(running.__enter__)
    try:
        ada = Person(await (await new_context()).new_page(), stack)
        await ada.signs_in()
        asked: list[Request] = []

        def ask(request: Request) -> None:  # Playwright takes no method of a list
            asked.append(request)

        ada.page.on("request", ask)

        await ada.signs_out()
        await ada.sees("signed-out")

        (posted,) = [one for one in asked if one.method == "POST" and one.url.startswith(stack.tenant_url)]
        assert posted.url.endswith("/logout")
        assert "id_token_hint=eyJ" in str(posted.post_data)
        in_addresses = [one.url for one in asked if re.search(r"eyJ[\w-]{10,}\.", one.url)]
        assert not in_addresses
        answer = await posted.response()
        assert answer is not None
        # Whether the authority's own session is over is its cookie's business: one with SameSite=Lax stays at home.
        assert (answer.status, answer.headers["location"]) == (303, f"{stack.gateway_url}/")
        await ada.page.close()  # a page that is still fetching its views would miss the stack
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
