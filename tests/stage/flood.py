"""Whoever wants to fill Redis, and whoever is to notice nothing of it.

Owns one account that takes whatever it is given, one address that begins sign-ins without end, and a person from
elsewhere with the whole story. Speaks HTTP only, from addresses of its own behind a proxy that the gateway knows.
Never fails for a refusal: refusing is what the gateway is for; what was refused is counted.
"""

import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import aiohttp

from gateway.proxy.parked_requests import LARGEST_PARKED
from tests.stage.other_front_end import ADA, GRACE, Answer, NoFlow, OtherFrontEnd

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
EVENTS = "/api/session/events"
PARKING = "/api/notes"
"""Below this, requests to another team's API wait: a world for a flood has such a row."""
MOST_LARGE = 6
_FOR_EVER = aiohttp.ClientTimeout(total=None)
_LENGTHS = {
    "displayName": 256,
    "givenName": 64,
    "surname": 64,
    "jobTitle": 128,
    "streetAddress": 1024,
    "city": 128,
    "state": 128,
    "postalCode": 40,
    "country": 128,
}


def large() -> dict[str, str]:
    """Return as large a change as is taken, of letters that hardly compress."""
    return {
        name: "".join(chr(0x4E00 + secrets.randbelow(20_000)) for _ in range(length))
        for name, length in _LENGTHS.items()
    }


async def save(person: OtherFrontEnd, changes: dict[str, str], **headers: str) -> Answer:
    """Send an edit; `headers` by their names with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return await person.call("PATCH", "/api/profile", changes, headers=named)


class Flood:
    """The people of a flood, at a gateway that takes 127.0.0.1 for its proxy."""

    def __init__(self, gateway_url: str, tenant_url: str) -> None:
        self._gateway_url = gateway_url
        self._tenant_url = tenant_url
        self.seen: Counter[str] = Counter()
        """What was answered to whom, by status."""

    @asynccontextmanager
    async def browser(self, address: str) -> AsyncIterator[OtherFrontEnd]:
        """Give a browser at an address."""
        async with OtherFrontEnd.open(self._gateway_url, self._tenant_url) as person:
            person.session.headers["X-Forwarded-For"] = address
            yield person

    async def account(self, sessions: int) -> None:
        """Let one account begin so many sessions, one after another, and fill each; it never signs out."""
        async with AsyncExitStack() as pages:
            for number in range(sessions):
                async with self.browser(f"198.51.100.{number % 250}") as ada:
                    await self._fill(ada, pages)

    async def _fill(self, ada: OtherFrontEnd, pages: AsyncExitStack) -> None:
        with suppress(NoFlow):
            self.seen["account: signed in"] += await ada.sign_in(ADA) == "/edit"
        for number in range(6):
            tags = ", ".join(f'"{secrets.token_hex(16)}"' for _ in range(100))
            etag = (await ada.call("GET", "/api/profile")).headers.get("ETag", '"none"')
            answer = await save(ada, large(), If_Match=f"{etag}, {tags}", Idempotency_Key=f"{number}")
            self.seen[f"account: edit {answer.status}"] += 1
        for _ in range(MOST_LARGE):
            parked = await self._park(ada)
            self.seen[f"account: large request {'waits' if parked else 'does not wait'}"] += 1
        with suppress(NoFlow):
            await ada.step_up(STEP_UP)
        for number in range(6):
            answer = await save(ada, large(), Idempotency_Key=f"again-{number}")
            self.seen[f"account: edit {answer.status}"] += 1
        page = await pages.enter_async_context(self.browser("198.51.100.7"))
        for _ in range(6):
            cookie = {"Cookie": f"__Host-Http-session={ada.cookie()}", "X-CSRF": "1"}
            listening = page.session.get(self._gateway_url + EVENTS, headers=cookie, timeout=_FOR_EVER)
            answered = await pages.enter_async_context(listening)
            self.seen[f"account: stream {answered.status}"] += 1

    async def _park(self, ada: OtherFrontEnd) -> bool:
        """Send as large a request as waits, to the row below PARKING; tell whether it does."""
        body, headers = secrets.token_bytes(LARGEST_PARKED), {"X-CSRF": "1"}
        async with ada.session.post(self._gateway_url + PARKING, data=body, headers=headers) as answer:
            return "parked" in await answer.json()

    async def address(self, flows: int) -> None:
        """Let one address begin so many sign-ins, each from a new browser and with a long way back."""
        for _ in range(flows):
            async with self.browser("203.0.113.9") as stranger:
                answer = await stranger.navigate(
                    f"/auth/sign-in?return_to=/{secrets.token_urlsafe(380)[:500]}"
                )
                is_begun = not answer.headers.get("Location", "/problem").startswith("/problem")
                self.seen[f"address: {'begun' if is_begun else 'refused'}"] += 1

    async def somebody_else(self) -> None:
        """Let a person from elsewhere sign in, read, edit with step-up and sign out; raises AssertionError."""
        async with self.browser("192.0.2.4") as grace:
            assert await grace.sign_in(GRACE) == "/edit"
            assert (await grace.call("GET", "/api/profile")).status == 200
            city = f"City {secrets.token_hex(4)}"
            refused = await save(grace, {"city": city})
            assert (refused.status, refused.slug) == (403, "step-up-required")
            waiting = f"/api/parked-edits/{refused.body['parked_edit']['id']}"
            assert await grace.step_up(f"{refused.body['redirect']}&return_to=/check", GRACE[0]) == "/check"
            saved = await grace.call("POST", waiting)
            assert (saved.status, saved.body["city"]) == (200, city)
            async with grace.session.get(self._gateway_url + EVENTS, headers={"X-CSRF": "1"}) as stream:
                assert stream.status == 200
            assert (await grace.call("POST", "/auth/sign-out")).status == 200
            self.seen["somebody else: whole stories"] += 1
