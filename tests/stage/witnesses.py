"""What tests look through: every answer that a front end saw, every command that Valkey ran, all that Valkey holds.

Reads only; nothing of the product is replaced.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from multidict import CIMultiDictProxy
from redis.asyncio import Redis

from gateway.app_keys import SESSIONS
from gateway.edge.guard import ROUTE_TABLE, RequestKind
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession
from tests.stage.other_front_end import Answer, OtherFrontEnd
from tests.stage.world import CLIENT, World

SESSION = "__Host-Http-session"

# What a connection says when it opens, what a process tells others that belongs to no request, and what a test asks by
# itself.
_NOT_THE_GATEWAYS = frozenset(
    {
        "info",
        "config|resetstat",
        "auth",
        "hello",
        "client|setinfo",
        "select",
        "ping",
        "publish",
        "subscribe",
    }
)


class RecordingFrontEnd(OtherFrontEnd):
    """Keeps every answer of the gateway."""

    seen: list[Answer]

    async def call(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Call a JSON endpoint."""
        return self._keep(await super().call(method, path, body, headers=headers))

    async def navigate(self, path: str, data: Mapping[str, str] | None = None) -> Answer:
        """Open an address of the gateway."""
        return self._keep(await super().navigate(path, data))

    def _keep(self, answer: Answer) -> Answer:
        self.seen.append(answer)
        return answer

    @property
    def set_cookies(self) -> list[str]:
        """Every Set-Cookie that came."""
        return [line for answer in self.seen for line in all_of(answer, "Set-Cookie")]


@asynccontextmanager
async def recording(world: World) -> AsyncIterator[RecordingFrontEnd]:
    """Open a front end that remembers what it saw."""
    async with RecordingFrontEnd.open(world.gateway_url, world.tenant_url) as person:
        person.seen = []
        yield person


def all_of(answer: Answer, name: str) -> list[str]:
    """Return every value of a header."""
    assert isinstance(answer.headers, CIMultiDictProxy)
    return list(answer.headers.getall(name, []))


def paths_of(world: World, *kinds: RequestKind) -> list[tuple[str, str]]:
    """Return method and address of every route for these kinds of request, as the router has them."""
    paths, build = [], CLIENT.current("index.html").name
    for route, row in world.app[ROUTE_TABLE]:
        assert route.resource is not None
        if row.kind in kinds:
            path = route.resource.canonical.replace("{id}", "x" * 22)
            path = path.replace("{build}", build).replace("{path}", "app.js")
            paths.append((route.method, path))
    return sorted(paths)


async def ask(person: OtherFrontEnd, method: str, path: str, headers: dict[str, str]) -> Answer:
    """Send a request with exactly these headers; of a stream the beginning is enough."""
    async with person.session.request(
        method,
        person.gateway_url + path,
        headers=headers,
        data=b"{}" if method in {"PATCH", "POST"} else None,
        allow_redirects=False,
    ) as response:
        streams = response.content_type == "text/event-stream"
        return Answer(response.status, response.headers, "" if streams else await response.text())


async def asked_in_all(world: World) -> int:
    """Count everything that the tenant was ever asked."""
    return len(await world.admin("GET", "/requests"))


async def commands(redis: "Redis") -> int:
    """Count what Valkey has run for the gateway since `forget_commands`."""
    stats: dict[str, Any] = await redis.info("commandstats")
    calls_of = {name.removeprefix("cmdstat_"): int(stat["calls"]) for name, stat in stats.items()}
    return sum(calls for name, calls in calls_of.items() if name not in _NOT_THE_GATEWAYS)


async def forget_commands(redis: "Redis") -> None:
    """Count from here."""
    await redis.config_resetstat()


async def everything_in(redis: "Redis") -> bytes:
    """Return all keys with all that they hold, members and DUMP alike."""
    return b"\n".join(await pieces_in(redis))


async def pieces_in(redis: "Redis") -> list[bytes]:
    """Return the same one by one: names that may be in sealed bytes by chance are looked for as a whole piece."""
    pieces: list[Any] = []
    async for key in redis.scan_iter():
        pieces += [key, await redis.dump(key)]
        kind = await redis.type(key)
        if kind == b"hash":
            for name, value in (await redis.hgetall(key)).items():
                pieces += [name, value]
        elif kind == b"zset":
            pieces += await redis.zrange(key, 0, -1)
        else:
            pieces.append(await redis.get(key))
    return [value or b"" for value in pieces]


async def opened(world: World, person: OtherFrontEnd) -> LiveSession:
    """Open a person's session as the gateway does, with the cookie that only their browser holds."""
    cookie = SessionCookie.parse(person.cookie())
    assert cookie is not None
    live = await world.app[SESSIONS].load(cookie)
    assert live is not None
    return live


async def with_cookie(world: World, value: str, path: str = "/api/profile") -> Answer:
    """Ask with nothing but this session cookie."""
    person = await world.front_end()
    return await person.call("GET", path, headers={"Cookie": f"{SESSION}={value}"})


async def tell_the_story(person: RecordingFrontEnd) -> None:
    """Sign in, look, be refused, step up, save what was parked, and begin another flow."""
    await person.sign_in()
    await person.call("GET", "/api/profile")
    refused = await person.call("PATCH", "/api/profile", {"city": "Paris"}, headers={"Idempotency-Key": "1"})
    await person.step_up(f"{refused.body['redirect']}&return_to=/check")
    saved = await person.call("POST", f"/api/parked-edits/{refused.body['parked_edit']['id']}")
    assert saved.status == 200, saved.text
    await person.navigate("/auth/sign-in")


def session_keys(keys: list[str]) -> list[str]:
    """Return the keys of sessions that live, among all."""
    return [
        key
        for key in keys
        if key.startswith("stepup:{") and not key.endswith(":ended") and ":lock:" not in key
    ]


def records(keys: Iterable[str]) -> list[str]:
    """Return the keys of sessions and flows: without how often somebody tried, and what is told of accounts."""
    return [key for key in keys if not key.startswith(("stepup:rate:", "stepup:activity:"))]
