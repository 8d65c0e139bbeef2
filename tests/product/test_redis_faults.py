"""Redis away, silent or emptied (R2, R6): nobody is signed out by it, and nothing is a 500."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from devstack.embedded_valkey import EmbeddedValkey
from devstack.keeper import Keeper
from devstack.processes import Child
from gateway.edge.guard import RequestKind
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.ports import free_port
from tests.stage.witnesses import ask, paths_of
from tests.stage.world import World

SOON = 5
"""Seconds within which every answer comes, where a silent Redis would let it wait for ever; a busy machine has room."""


class OwnValkey:
    """A Valkey that a test may stop, freeze and start again."""

    def __init__(self, server: EmbeddedValkey, child: Child) -> None:
        self.server = server
        self._child = child

    def start(self) -> None:
        """Start it, empty."""
        self._child.start()
        while not self.server.ready():
            assert self._child.running, self._child.log()
            time.sleep(0.02)

    def kill(self) -> None:
        """Let it be gone at once: connections are refused."""
        self._child.kill()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it accept connections and never answer, while the block runs."""
        assert self._child.pid is not None
        os.kill(self._child.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._child.pid, signal.SIGCONT)


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    """Run a Valkey for one test alone."""
    server = EmbeddedValkey(free_port(), secrets.token_urlsafe(16))
    with closing(Keeper()) as keeper:
        child = Child(server.program(os.environ, tmp_path), keeper)
        own = OwnValkey(server, child)
        own.start()
        try:
            yield own
        finally:
            child.stop(grace=5)


@pytest.fixture
async def world(make_world: Callable[..., Awaitable[World]], own_valkey: OwnValkey) -> World:
    """Give a world whose gateway uses that Valkey."""
    return await make_world(REDIS_URL=own_valkey.server.url)


async def soon(answer: Awaitable[Answer]) -> Answer:
    """Await an answer that must not take long."""
    began = time.monotonic()
    result = await answer
    assert time.monotonic() - began < SOON
    return result


async def back(person: OtherFrontEnd) -> Answer:
    """Ask until Redis is used again; that must be soon, too."""
    for _ in range(60):
        answer = await person.call("GET", "/api/profile")
        if answer.status != 503:
            break
        await asyncio.sleep(0.05)
    return answer


async def assert_honest(world: World, ada: OtherFrontEnd) -> None:
    """Assert what holds while Redis is away, whatever its way of being away."""
    held = ada.cookie()
    routes = paths_of(world, RequestKind.JSON)
    answers = await asyncio.gather(
        *(soon(ask(ada, method, path, {"X-CSRF": "1"})) for method, path in routes)
    )
    for (method, path), answer in zip(routes, answers, strict=True):
        assert answer.status == 503, (method, path)
        assert int(answer.headers["Retry-After"]) > 0
        assert "Set-Cookie" not in answer.headers, "the cookie is kept"
        if method != "HEAD":
            assert answer.slug == "session-store-unavailable", (method, path)
    assert ada.cookie() == held

    for path in ("/auth/sign-in?return_to=/edit", "/auth/sign-up", "/auth/step-up?action=profile.edit"):
        answer = await soon(ada.navigate(path))
        where, _, rest = answer.headers["Location"].partition("&")
        assert (answer.status, where) == (303, "/problem?type=session-store-unavailable")
        assert rest.startswith("reference=")
        assert "Set-Cookie" not in answer.headers

    assert (await soon(ada.navigate("/"))).status == 200, "pages are served"
    assert (await soon(ada.navigate("/problem"))).status == 200
    assert (await soon(ada.navigate("/health/live"))).status == 200
    ready = await soon(ada.navigate("/health/ready"))
    assert (ready.status, ready.slug) == (503, "session-store-unavailable")


async def test_R2_a_silent_redis_signs_nobody_out(world: World, own_valkey: OwnValkey) -> None:
    ada = await world.confirmed()

    with own_valkey.frozen():
        await assert_honest(world, ada)

    answer = await back(ada)
    assert (answer.status, answer.body["displayName"]) == (200, "Ada Lovelace")
    assert (await ada.call("PATCH", "/api/profile", {"city": "Paris"})).status == 200, "and still confirmed"


async def test_R2_a_redis_that_is_gone_is_no_sign_out_either(world: World, own_valkey: OwnValkey) -> None:
    ada = await world.confirmed()

    own_valkey.kill()
    await assert_honest(world, ada)
    own_valkey.start()

    # This Valkey keeps nothing on disk: the sessions are gone, and that is told cleanly.
    lost = await back(ada)
    assert (lost.status, lost.slug) == (401, "sign-in-required")
    assert await ada.sign_in() == "/edit"
    assert (await ada.call("GET", "/api/profile")).status == 200


async def test_R2_a_callback_that_met_a_silent_redis_keeps_its_cookie_and_ends_cleanly(
    world: World, own_valkey: OwnValkey
) -> None:
    ada = await world.front_end()
    page = await ada.leave("/auth/sign-in?return_to=/edit")
    page = await ada.visitor.submit(page, email="ada@example.com", password="Analytical-Engine-1843")

    with own_valkey.frozen():
        answer = await soon(ada.navigate(page.form.action, page.form.inputs))
        assert answer.headers["Location"].startswith("/problem?type=session-store-unavailable&")
        assert "Set-Cookie" not in answer.headers

    # Whether Redis took the flow before it fell silent, nobody can know; both ends are clean.
    again = await ada.come_back(page)
    assert again == "/edit" or again.startswith("/problem?type=sign-in-expired&")


async def test_R6_an_emptied_redis_is_a_clean_end(world: World, own_valkey: OwnValkey) -> None:
    ada, bob = await world.confirmed(), await world.front_end()
    page = await bob.leave("/auth/sign-in")
    page = await bob.visitor.submit(page, email="ada@example.com", password="Analytical-Engine-1843")

    own_valkey.server.command("FLUSHALL")

    assert (await ada.call("GET", "/api/session")).body["authenticated"] is False
    assert (await ada.call("GET", "/api/profile")).slug == "sign-in-required"
    assert (await ada.call("POST", "/auth/sign-out")).status == 200
    assert (await bob.come_back(page)).startswith("/problem?type=sign-in-expired")
    assert await bob.sign_in() == "/edit"
