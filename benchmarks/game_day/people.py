"""People who are signed in, and the requests that their browsers send.

Owns signing many in, through the tenant's own forms. Never puts a session into the store by itself.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.game_day.load_client import request
from devstack.stack import Stack
from tests.stage.other_front_end import ADA, NoFlow, OtherFrontEnd

STEP_UP: Final = "/auth/step-up?action=profile.edit&return_to=/edit"
SESSION: Final = "/api/session"
PROFILE: Final = "/api/profile"
IN: Final = "signed in"
_AT_ONCE: Final = 6
_ATTEMPTS: Final = 3
_PASSWORD: Final = secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in: their address, and the cookie that a browser sends."""

    email: str
    cookie: str


def host_of(stack: Stack) -> str:
    """Return what the browser's address says."""
    return urlsplit(stack.gateway_url).netloc


def port_of(stack: Stack) -> int:
    """Return where the gateway listens."""
    port = urlsplit(stack.gateway_url).port
    assert port is not None
    return port


def asking(
    stack: Stack, people: list[Person], path: str, method: str = "GET", body: bytes = b""
) -> list[bytes]:
    """Return each person's request."""
    return [request(host_of(stack), person.cookie, path, method, body) for person in people]


@asynccontextmanager
async def visiting(stack: Stack) -> AsyncIterator[OtherFrontEnd]:
    """Give a browser that nobody has used yet."""
    async with OtherFrontEnd.open(stack.gateway_url, stack.tenant_url) as one:
        yield one


@asynccontextmanager
async def ada_signed_in(stack: Stack) -> AsyncIterator[OtherFrontEnd]:
    """Give Ada's browser, signed in."""
    async with visiting(stack) as ada:
        await ada.sign_in(ADA)
        yield ada


async def signed_in(stack: Stack, count: int) -> list[Person]:
    """Sign in so many people, each for the first time."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> Person:
        email = f"person-{number}-{secrets.token_hex(4)}@example.com"
        async with places, visiting(stack) as browser:
            await _post(
                browser, stack, "people", email=email, password=_PASSWORD, profile={"displayName": email}
            )
            for _ in range(_ATTEMPTS):  # a busy computer may refuse one
                with suppress(NoFlow):
                    await browser.sign_in((email, _PASSWORD))
                if browser.cookie():
                    break
            return person_of(browser, email)

    return list(await asyncio.gather(*(one(number) for number in range(count))))


async def arrives(stack: Stack, patience: float = 15) -> str:
    """Let Ada sign in with a new browser; return IN where that works, else what she met."""
    try:
        async with asyncio.timeout(patience), ada_signed_in(stack) as ada:
            return IN if (await ada.call("GET", SESSION)).body["authenticated"] else "not signed in"
    except TimeoutError:
        return f"nothing in {patience:.0f} s"
    except (NoFlow, AssertionError) as problem:
        return str(problem)[:120]


def person_of(browser: OtherFrontEnd, email: str = ADA[0]) -> Person:
    """Return whose browser this is, with its cookie of this moment."""
    name = "__Host-Http-session"
    assert browser.cookie(name), email
    return Person(email, f"{name}={browser.cookie(name)}")


async def _post(browser: OtherFrontEnd, stack: Stack, path: str, **members: Any) -> None:
    async with browser.session.post(f"{stack.tenant_url}/admin/{path}", json=members) as answer:
        assert answer.status < 300, await answer.text()


class Tenant:
    """The local tenant's admin surface, for as long as the block runs."""

    def __init__(self, browser: OtherFrontEnd, stack: Stack) -> None:
        self._session = browser.session
        self._url = f"{stack.tenant_url}/admin"

    @classmethod
    @asynccontextmanager
    async def of(cls, stack: Stack) -> AsyncIterator["Tenant"]:
        """Open it."""
        async with AsyncExitStack() as closing:
            yield cls(await closing.enter_async_context(visiting(stack)), stack)

    async def fault(self, point: str, **members: Any) -> None:
        """Let something go wrong at a point; see the local tenant's reference."""
        await self._send("PUT", f"faults/{point}", members)

    async def heal(self) -> None:
        """Let nothing go wrong any more."""
        await self._send("DELETE", "faults", None)

    async def turn(self, **knobs: Any) -> None:
        """Turn switches."""
        await self._send("PUT", "settings", knobs)

    async def forget_requests(self) -> None:
        """Count anew."""
        await self._send("DELETE", "requests", None)

    async def asked(self, point: str) -> int:
        """Return how often it was asked for something."""
        return len(await self._send("GET", f"requests?point={point}", None))

    async def held(self, email: str = ADA[0]) -> dict[str, Any]:
        """Return the profile that Graph holds, whatever a lagging replica shows."""
        profile: dict[str, Any] = await self._send("GET", f"people/{email}/profile", None)
        return profile

    async def _send(self, method: str, path: str, members: object) -> Any:
        async with self._session.request(method, f"{self._url}/{path}", json=members) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.content_length else None


def redis_command(stack: Stack, *words: str) -> str:
    """Send a command to the product's Redis; return the first line of its answer."""
    assert stack.valkey is not None
    return stack.valkey.command(*words)


def redis_port(stack: Stack) -> int:
    """Return where the product's Redis listens."""
    assert stack.valkey is not None
    return stack.valkey.port
