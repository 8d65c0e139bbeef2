"""The client in Safari's engine: the whole story, and what only that engine does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from aiohttp import web

from devstack.stack import Stack
from tests.real.browsers.webkit import ENTER, WebKit
from tests.stage.https_stack import https_stack
from tests.stage.other_front_end import ADA
from tests.stage.patience import PATIENCE
from tests.stage.visitor import Visitor

# Of this connection alone.
_OURS: Final = ("host", "connection", "accept-encoding")


async def signs_in(safari: WebKit, stack: Stack) -> None:
    """Go through the authority's form, up to where it sends Ada back."""
    await safari.opens(stack.gateway_url)
    await safari.sees("signed-out")
    await safari.presses("Sign in")
    await safari.types("[name=email]", ADA[0])
    await safari.types("[name=password]", f"{ADA[1]}{ENTER}")


async def test_X5_over_https_a_person_edits_their_profile_after_a_second_factor_and_signs_out_in_every_tab(
    safari: WebKit, tmp_path: Path
) -> None:
    async with https_stack(tmp_path) as (stack, _):
        await signs_in(safari, stack)
        await safari.sees("profile")

        await safari.opens(f"{stack.gateway_url}/edit")
        await safari.sees("edit")
        await safari.types("[name=city]", "Pisa")
        await safari.presses("Save changes")
        await safari.sees("confirm")
        await safari.presses("Continue")
        await safari.waits_for("return document.querySelector('[name=code]');")
        code = await Visitor(safari.client, stack.tenant_url).newest_code(ADA[0])
        await safari.types("[name=code]", f"{code}{ENTER}")
        await safari.sees("check")
        await safari.presses("Save changes")
        await safari.sees("profile")
        assert "Pisa" in await safari.reads()

        first = await safari.opens_tab()
        await safari.opens(stack.gateway_url)
        await safari.sees("profile")
        await safari.evaluates("document.querySelector('#account button, #account summary').click();")
        await safari.presses("Sign out")
        await safari.sees("signed-out")
        await safari.goes_to(first)
        await safari.sees("signed-out")


async def test_X5_over_http_a_person_reads_why_safari_keeps_no_sign_in(safari: WebKit, stack: Stack) -> None:
    await signs_in(safari, stack)

    await safari.sees("problem")

    assert "Safari keeps no secure cookie" in await safari.reads()


@dataclass
class Refusals:
    """Stands before a gateway, and answers 404 for one part of the client at first."""

    part: str
    times: int
    asked: Counter[str] = field(default_factory=Counter)
    passed: asyncio.Event = field(default_factory=asyncio.Event)
    """The part was let through."""

    @asynccontextmanager
    async def before(self, gateway_url: str) -> AsyncIterator[str]:
        """Listen while the block runs; yields the address."""

        async def answer(request: web.Request) -> web.Response:
            name = request.path.split("/", 3)[-1]
            self.asked[name] += 1
            if name == self.part and self.asked[name] <= self.times:
                return web.Response(status=404, headers={"Cache-Control": "no-store"})
            if name == self.part:
                self.passed.set()
            sent = {key: value for key, value in request.headers.items() if key.lower() not in _OURS}
            async with client.get(f"{gateway_url}{request.path_qs}", headers=sent) as found:
                kept = ("Cache-Control", "Content-Type", "Content-Security-Policy")
                headers = {name: found.headers[name] for name in kept if name in found.headers}
                return web.Response(status=found.status, body=await found.read(), headers=headers)

        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        async with aiohttp.ClientSession() as client:
            await site.start()
            try:
                yield f"http://localhost:{runner.addresses[0][1]}"
            finally:
                await runner.cleanup()


@pytest.mark.parametrize("part", ["app.js", "api.js", "words/en.js", "keeping.js"])
async def test_X10_a_part_that_was_refused_for_a_moment_is_asked_for_again(
    safari: WebKit, stack: Stack, part: str
) -> None:
    refusals = Refusals(part, times=1)
    async with refusals.before(stack.gateway_url) as address:
        await safari.opens(address)

        # What keeps the page true comes after the first screen.
        async with asyncio.timeout(PATIENCE):
            await refusals.passed.wait()
        await safari.sees("signed-out")


async def test_U17_what_never_comes_is_told(safari: WebKit, stack: Stack) -> None:
    refusals = Refusals("words/en.js", times=99)
    async with refusals.before(stack.gateway_url) as address:
        await safari.opens(address)

        await safari.waits_for("return document.querySelector('#not-loaded[role=alert]') !== null;")

    assert refusals.asked["words/en.js"] > 4, "each load of the page asks anew"
