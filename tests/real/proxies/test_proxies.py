"""A person's way through other people's proxies, each with its file of docs/how-to/proxies (S48, S49, S51, S52)."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
import httpx
import pytest

from servicekit.errors import BodyTooLarge
from servicekit.http.bodies import LARGEST_BODY
from tests.stage.certificates import Flaw, server_context
from tests.stage.front_proxies import PROXIES, Place, proxied
from tests.stage.loopback import loopback_addresses
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.raw_corpus import ANSWERED, HOST, NOT_FOUND, REFUSED
from tests.stage.witnesses import SESSION
from tests.stage.world import World

MakeWorld = Callable[..., Awaitable[World]]
CSRF: Final = {"X-CSRF": "1"}


class Front:
    """What people see: a proxy with two gateways behind it."""

    def __init__(self, world: World, place: Place, tls: ssl.SSLContext, people: AsyncExitStack) -> None:
        self.url = f"https://127.0.0.1:{place.port}"
        self.port = place.port
        self.tls = tls
        self._world = world
        self._people = people

    async def person(self, source: str = "127.0.0.1") -> OtherFrontEnd:
        """Return somebody with a fresh browser, who comes from this address."""
        connector = aiohttp.TCPConnector(ssl=self.tls, local_addr=(source, 0))
        opened = OtherFrontEnd.open(self.url, self._world.tenant_url, connector=connector)
        return await self._people.enter_async_context(opened)

    async def raw(self, *requests: bytes) -> bytes:
        """Send bytes, and return all that comes until the other end, or until nothing more comes for a moment."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)
        whole = b""
        try:
            writer.write(b"".join(requests).replace(HOST, b"127.0.0.1"))
            async with asyncio.timeout(PATIENCE):
                while piece := await reader.read(65_536):
                    whole += piece
        except (OSError, TimeoutError):
            pass
        finally:
            writer.transport.abort()
        return whole


@asynccontextmanager
async def fronted(
    name: str,
    make_world: MakeWorld,
    folder: Path,
    *,
    quick: tuple[tuple[str, str], ...] = (),
    **settings: str,
) -> AsyncIterator[Front]:
    """Run the product behind a proxy while the block runs."""
    port = free_port()
    world = await make_world(PUBLIC_URL=f"https://127.0.0.1:{port}", TRUSTED_PROXIES="127.0.0.1", **settings)
    other = await world.new_gateway()
    _, bundle = server_context(folder, Flaw())
    gateways = [one.gateway_url.replace("http://localhost", "127.0.0.1") for one in (world, other)]
    place = Place(folder, folder / "chain.pem", port, gateways)
    async with AsyncExitStack() as people:
        with proxied(name, place, quick=quick):
            yield Front(world, place, ssl.create_default_context(cafile=bundle), people)


@pytest.mark.parametrize("name", PROXIES)
async def test_S48_a_persons_whole_way_leads_through_a_proxy(
    name: str, make_world: MakeWorld, tmp_path: Path
) -> None:
    async with fronted(name, make_world, tmp_path) as front:
        ada = await front.person()
        assert await ada.sign_in() == "/edit"
        profile = await ada.call("GET", "/api/profile")
        assert profile.body["displayName"] == "Ada Lovelace"

        refused = await ada.call("PATCH", "/api/profile", {"city": "Paris"})
        assert (refused.status, refused.slug) == (403, "step-up-required")
        await ada.step_up(refused.body["redirect"])
        saved = await ada.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
        assert (saved.status, saved.body["city"]) == (200, "Paris")

        large = await ada.call("PATCH", "/api/profile", {"city": "x" * LARGEST_BODY})
        assert (large.status, large.slug) == (413, BodyTooLarge.slug)
        assert await _over_http_2(front, ada, tmp_path) is True

        async with ada.session.get(f"{front.url}/api/session/events", headers=CSRF) as stream:
            assert stream.content_type == "text/event-stream"
            signed_out = await ada.call("POST", "/auth/sign-out")
            assert signed_out.status == 200
            async with asyncio.timeout(PATIENCE):
                assert b"session-ended" in await _until(stream, b"session-ended"), "it came through at once"
        assert (await ada.call("GET", "/api/session")).body["authenticated"] is False


async def _until(stream: aiohttp.ClientResponse, word: bytes) -> bytes:
    seen = b""
    async for piece in stream.content.iter_any():
        seen += piece
        if word in seen:
            break
    return seen


async def _over_http_2(front: Front, person: OtherFrontEnd, folder: Path) -> bool:
    """Ask for the session by HTTP/2 with cookies in several fields, as browsers send them."""
    cookies = [("Cookie", one) for one in ("a=1", f"{SESSION}={person.cookie()}", "b=2")]
    trusted = ssl.create_default_context(cafile=folder / "trusted.pem")
    async with httpx.AsyncClient(http2=True, verify=trusted, trust_env=False) as client:
        answer = await client.get(f"{front.url}/api/session", headers=[("X-CSRF", "1"), *cookies])
    assert answer.http_version == "HTTP/2"
    return bool(answer.json()["authenticated"])


@pytest.mark.parametrize("name", PROXIES)
async def test_S48_S51_behind_a_proxy_limits_count_the_network_that_somebody_comes_from(
    name: str, make_world: MakeWorld, tmp_path: Path
) -> None:
    _, one, two = loopback_addresses(3)
    async with fronted(name, make_world, tmp_path, JOURNEYS_PER_MINUTE="2") as front:
        many, other = await front.person(one), await front.person(two)
        spoofed = {"X-Forwarded-For": "192.0.2.7"}

        statuses = []
        for _ in range(5):  # two for each gateway, and one more
            async with many.session.get(
                f"{front.url}/auth/sign-in", headers=spoofed, allow_redirects=False
            ) as answer:
                begun = answer.status == 303 and not answer.headers["Location"].startswith("/problem")
                statuses.append(begun)

        assert statuses[:2] == [True, True]
        assert not all(statuses), "what somebody writes into the field makes nobody else of him"
        assert await other.sign_in() == "/edit"


@pytest.mark.parametrize("name", PROXIES)
async def test_S49_what_two_readers_may_read_in_two_ways_disturbs_nobody_behind_a_proxy(
    name: str, make_world: MakeWorld, tmp_path: Path
) -> None:
    quick = {"haproxy": (("timeout http-request 10s", "timeout http-request 1s"),)}
    following = b"GET /health/live?next HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    icon = b"GET /favicon.svg HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
    async with fronted(name, make_world, tmp_path, quick=quick.get(name, ())) as front:
        for what, request in {**REFUSED, **NOT_FOUND}.items():
            answer = await front.raw(request, following)
            assert answer.count(b"HTTP/1.1 200") + answer.count(b"HTTP/1.1 404") <= 2, (what, answer)

            others = await asyncio.gather(*(front.raw(icon) for _ in range(2)))
            assert [b"image/svg+xml" in other for other in others] == [True, True], what
        for what, request in ANSWERED.items():
            answer = await front.raw(request, following)
            assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200", b"HTTP/1.1 4")), (what, answer)


QUICK: Final = {
    "nginx": (("client_header_timeout 10s", "client_header_timeout 1s"),),
    "haproxy": (("timeout http-request 10s", "timeout http-request 1s"),),
    "caddy": (("read_header 10s", "read_header 1s"),),
    "traefik": (("readTimeout: 10s", "readTimeout: 1s"),),
}


@pytest.mark.parametrize("name", PROXIES)
async def test_S52_a_proxy_ends_heads_that_do_not_end_and_serves_others_meanwhile(
    name: str, make_world: MakeWorld, tmp_path: Path
) -> None:
    async with fronted(name, make_world, tmp_path, quick=QUICK[name]) as front:
        slow = [asyncio.create_task(front.raw(b"GET / HTTP/1.1\r\nHost: {HOST}\r\nX-")) for _ in range(50)]
        person = await front.person()

        assert (await person.call("GET", "/api/session")).status == 200
        answers = await asyncio.gather(*slow)

        assert not [answer for answer in answers if b" 200 " in answer]
