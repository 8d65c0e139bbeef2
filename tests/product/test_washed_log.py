"""Strangers' forged requests leave the lines of people readable, and their own few and counted (A6)."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servicekit.log_folding import Folding
from servicekit.log_writer import LogQueue
from servicekit.logs import JsonLines, configure_logs
from servicekit.reference import HEADER
from tests.stage.other_front_end import OtherFrontEnd
from tests.stage.world import World

FORGED = 120

Send = Callable[[OtherFrontEnd, int], Awaitable[int]]


class WrittenLog:
    """A log as a service writes it: by the queue, into a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def lines(self) -> list[dict[str, Any]]:
        """Let the log end, and read it."""
        return await asyncio.to_thread(self._lines)

    def _lines(self) -> list[dict[str, Any]]:
        end_queues()
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]


def end_queues() -> None:
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogQueue):
            handler.end()


@pytest.fixture
def log(world: World, tmp_path: Path) -> Iterator[WrittenLog]:  # noqa: ARG001 - the world logs at its start
    root, path = logging.getLogger(), tmp_path / "log"
    handlers, level = root.handlers[:], root.level
    with path.open("w", encoding="utf-8") as stream:
        # It is taken over. In each of its windows some lines are of strangers; this one is longer than any test takes.
        root.addHandler(LogQueue(stream.fileno(), JsonLines(), folding=Folding(window_seconds=3_600)))
        configure_logs(stream=stream)
        try:
            yield WrittenLog(path)
        finally:
            end_queues()
            root.handlers[:] = handlers
            root.setLevel(level)
            for name in ("gateway", "resource_api", "servicekit"):
                logging.getLogger(name).setLevel(logging.DEBUG)


def requesting(method: str, path: str, **headers: str) -> Send:
    """Return what sends one such request; `{n}` in its path or a header's value is its number."""

    async def send(person: OtherFrontEnd, number: int) -> int:
        named = {name.replace("_", "-"): value.format(n=number) for name, value in headers.items()}
        async with person.session.request(
            method, person.gateway_url + path.format(n=number), headers=named, allow_redirects=False
        ) as response:
            return response.status

    return send


def odd_method() -> Send:
    async def send(person: OtherFrontEnd, number: int) -> int:
        async with person.session.request(f"FORGED{number}", person.gateway_url + "/") as response:
            return response.status

    return send


async def no_http(person: OtherFrontEnd, _number: int) -> int:
    port = int(person.gateway_url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(b"no http at all\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return int(answer.split()[1])


COOKIE = "__Host-Http-session=" + "A" * 22 + "." + "B" * 39 + "{n:04}." + "C" * 43
KINDS: dict[str, tuple[Send, set[int]]] = {
    "cross-origin calls": (requesting("GET", "/api/session", Origin="https://evil.example"), {403}),
    "calls without the header": (requesting("PATCH", "/api/profile"), {403}),
    "forged cookies": (requesting("GET", "/api/profile", X_CSRF="1", Cookie=COOKIE), {401}),
    "forged cookies, asking who": (requesting("GET", "/api/session", X_CSRF="1", Cookie=COOKIE), {200}),
    "forged callbacks": (requesting("GET", "/auth/callback?state=s{n}&code=c"), {303, 405, 429}),
    "scans": (requesting("GET", "/wp-admin/{n}.php"), {404}),
    "odd methods": (odd_method(), {400, 404, 405}),
    "no http": (no_http, {400}),
    "foreign hosts": (requesting("GET", "/api/session", X_CSRF="1", Host="evil{n}.example"), {421}),
    "front-channel logout": (requesting("GET", "/auth/frontchannel-logout?sid=s{n}"), {200, 429}),
    "back-channel logout": (requesting("POST", "/auth/backchannel-logout"), {400, 404, 405, 415, 429}),
    "step-ups of nobody": (requesting("GET", "/auth/step-up?challenge=c{n}"), {303, 429}),
    "sign-ins begun": (requesting("GET", "/auth/sign-in"), {303, 429}),
    "doubled cookies": (
        requesting("GET", "/api/profile", X_CSRF="1", Cookie=f"{COOKIE}; {COOKIE}"),
        {400, 401},
    ),
    "pages": (requesting("GET", "/"), {200}),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_A6_forged_requests_are_some_lines_and_an_exact_count_and_a_persons_lines_are_all_there(
    world: World, log: WrittenLog, kind: str
) -> None:
    send, statuses = KINDS[kind]
    ada, stranger = await world.signed_in(), await world.front_end()
    people = []

    for number in range(FORGED):
        assert await send(stranger, number) in {*statuses, 429}
        if number % 20 == 0:
            people.append((await ada.call("GET", "/api/profile")).headers[HEADER])
    people.append((await ada.call("POST", "/auth/sign-out")).headers[HEADER])

    lines = await log.lines()
    access = [line for line in lines if line["event"] == "request" and line["name"] == "gateway.access"]
    written = {line["request_id"] for line in access if "request_id" in line}
    assert {*people} <= written
    assert [line for line in lines if line["event"] == "signed-out"]
    strangers = [line for line in lines if line.get("request_id") not in people]
    assert len(strangers) < 90, "some, and their counts"
    counted = sum(line.get("repeated", 1) for line in access) - len(people)
    # Ada's way in: there and back.
    assert counted == FORGED + 2


async def test_A6_forged_tokens_at_the_api_are_some_lines_and_an_exact_count(
    world: World, log: WrittenLog
) -> None:
    ada = await world.confirmed()
    async with OtherFrontEnd.open(world.api_url, world.tenant_url) as stranger:
        for number in range(FORGED):
            headers = {"Authorization": f"Bearer forged.{number}.x"}
            async with stranger.session.patch(f"{world.api_url}/profile", headers=headers) as answer:
                assert answer.status in {401, 429}
    saved = await ada.call("PATCH", "/api/profile", {"city": "Turin"})

    lines = [line for line in await log.lines() if line["name"].startswith(("resource_api", "servicekit"))]
    assert saved.status == 200
    access = [line for line in lines if line["event"] == "request"]
    assert saved.headers[HEADER] in {line.get("request_id") for line in access}
    assert len(lines) < 70
    assert sum(line.get("repeated", 1) for line in access) == FORGED + 1
