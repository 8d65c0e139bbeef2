"""Recent activity as the gateway may tell it, in every kind and in odd forms: answered to a browser in its place."""

import json
from typing import Any, Final

from playwright.async_api import Route

MARKUP: Final = "<img src=x onerror=\"document.title='met'\">"
NOT_ME: Final = "This wasn\u2019t me"
PASSWORDS: Final = "https://login.example.com/change-password"


def entry(event: str, outcome: str = "success", *, current: bool = False, **more: Any) -> dict[str, Any]:
    """Return one entry."""
    session = {"id": "0" * 32, "current": current}
    return {"at": "2026-11-21T20:04:00Z", "event": event, "outcome": outcome, "session": session, **more}


HERE: Final[dict[str, Any]] = {
    "device": "Firefox on Linux",
    "network": "203.0.113.0/24",
    "reference": "7K2M-9QXR",
}
ENTRIES: Final = [
    entry(
        "profile-edit", **HERE, fields=["city", "preferredLanguage", "streetAddress", "surname"], current=True
    ),
    entry("profile-edit", "unknown", **HERE, fields=["state"]),
    entry("profile-edit", "failed", **HERE, fields=["state"], reason="resource-unavailable"),
    entry("step-up", "refused", **HERE, reason="step-up-cancelled"),
    entry("sign-in", network="2001:db8:12:3400::/56"),
    entry("session-end", sessions=3, reason="ended-by-operator"),
    entry("sign-out", device="W" * 300, reference="7K2M-9QXR"),
    entry("sign-up"),
    entry(MARKUP, MARKUP, at="at noon", device=MARKUP, network=MARKUP, reason="__proto__", reference=MARKUP),
]


async def every_kind_of_entry(route: Route) -> None:
    """Much has been done."""
    await route.fulfill(json={"entries": ENTRIES})


async def no_entries(route: Route) -> None:
    """Nothing has, or it was long ago."""
    await route.fulfill(json={"entries": []})


async def with_a_place_for_passwords(route: Route) -> None:
    """The session as it is, of a gateway that knows where passwords are changed."""
    answer = await route.fetch()
    session = await answer.json()
    await route.fulfill(response=answer, body=json.dumps({**session, "change_password": PASSWORDS}))
