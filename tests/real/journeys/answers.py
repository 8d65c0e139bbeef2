"""Answers that a browser is given in the gateway's place, where a state comes from somewhere else.

A slow answer, a session that ends soon, a store that is away: so nothing depends on how fast a computer is, and no
fault outlives its test.
"""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Final

from playwright.async_api import Route, expect

from tests.real.journeys.person import Person

# The first is at the start.
_LOOK_AFTER_THE_REFUSAL: Final = 2


async def never(_route: Route) -> None:
    """No answer at all."""


async def session_expiring(route: Route) -> None:
    """Tell once, as the stream does, that the session ends soon."""
    await route.fulfill(
        headers={"Content-Type": "text/event-stream"},
        body="retry: 600000\nevent: session-expiring\ndata: {}\n\n",
    )


async def ends_soon(person: Person, *, idle: int, absolute: int) -> None:
    """Let every later look at the session say that it ends in so many seconds, and the server say that it is time."""

    async def shortened(route: Route) -> None:
        answer = await route.fetch()
        session = await answer.json()
        now = datetime.now(UTC)
        session["expires"] = {
            "idle_at": (now + timedelta(seconds=idle)).isoformat(),
            "absolute_at": (now + timedelta(seconds=absolute)).isoformat(),
        }
        await route.fulfill(response=answer, body=json.dumps(session))

    await person.page.route("**/api/session", shortened)
    await person.page.route("**/api/session/events", session_expiring)
    await person.opens()
    await expect(person.page.get_by_role("alertdialog")).to_be_visible()


async def store_away(route: Route) -> None:
    """Redis cannot be reached."""
    await route.fulfill(
        status=503,
        headers={"Content-Type": "application/problem+json", "Retry-After": "60"},
        body=json.dumps({"type": "/problems/session-store-unavailable", "reference": "7K2M-9QXR"}),
    )


async def no_events(route: Route) -> None:
    """Refuse the stream, as a gateway does that has no room."""
    await route.fulfill(
        status=429,
        headers={"Content-Type": "application/problem+json", "Retry-After": "60"},
        body=json.dumps({"type": "/problems/too-many-requests"}),
    )


async def has_signed_in_without_events(person: Person, path: str = "/", screen: str = "profile") -> None:
    """Sign in where the stream is refused, and wait until the page has looked by itself because of that."""
    looks = itertools.count(1)
    await person.page.context.route("**/api/session/events", no_events)
    async with person.page.expect_response(
        lambda answer: answer.url.endswith("/api/session") and next(looks) == _LOOK_AFTER_THE_REFUSAL
    ):
        await person.has_signed_in(path, screen)


async def nobody_knows(route: Route) -> None:
    """Nobody knows what became of a change; what is read is as before."""
    if route.request.method != "PATCH":
        return await route.continue_()
    return await route.fulfill(
        status=502,
        headers={"Content-Type": "application/problem+json", "Retry-After": "5"},
        body=json.dumps(
            {"type": "/problems/resource-unavailable", "outcome": "unknown", "reference": "7K2M-9QXR"}
        ),
    )
