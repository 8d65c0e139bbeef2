"""The proxy that tests interrupt single requests with, before a real Valkey and before a server of HTTP."""

import asyncio
import hashlib
import signal
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, ResponseError

from gateway.store.scripts import RELEASE, WRITE
from tests.stage.http_wire import HttpWire, asks, token_request
from tests.stage.ports import free_port
from tests.stage.redis_wire import NOT_NOW, Command, RedisWire, runs
from tests.stage.request_proxy import RequestProxy
from tests.stage.world import served

HASH = "stepup:{f}:d"
LOCK = "stepup:{f}:d:lock:x"


@pytest.fixture
async def proxy() -> AsyncIterator[RequestProxy[Command]]:
    """Give a proxy for Valkey."""
    async with RequestProxy(RedisWire()).running() as running:
        yield running


@pytest.fixture
async def redis(proxy: RequestProxy[Command], valkey: str) -> AsyncIterator["Redis"]:
    """Give a client that goes through it, by several connections and with no second try."""
    async with Redis.from_url(proxy.lead_to(valkey), protocol=2, retry=None) as client:
        yield client


@pytest.fixture
async def beside(valkey: str) -> AsyncIterator["Redis"]:
    """Give a client that does not."""
    async with Redis.from_url(valkey) as client:
        yield client


def write(name: str) -> list[str]:
    """Return the key and the arguments of a script that writes a field."""
    return [HASH, "0", "", "", "", "64000", name, "value", "0"]


async def test_what_is_held_waits_for_its_release_and_nobody_else_does(
    proxy: RequestProxy[Command], redis: "Redis", beside: "Redis"
) -> None:
    held = proxy.hold(lambda command: command.name == "SET" and command.keys == ("a",))

    setting = asyncio.ensure_future(redis.set("a", "1"))
    await held.reached()
    assert await redis.set("b", "2"), "another command goes by another connection"
    assert await beside.get("a") is None
    held.release()
    assert await setting

    assert await beside.get("a") == b"1"
    assert await redis.set("a", "3"), "once is once"


async def test_an_answer_that_is_held_is_that_of_a_command_that_ran(
    proxy: RequestProxy[Command], redis: "Redis", beside: "Redis"
) -> None:
    held = proxy.hold(lambda command: command.name == "SET", answered=True, times=2)

    setting = [asyncio.ensure_future(redis.set(name, "1")) for name in "ab"]
    await held.reached(2)
    assert await beside.mget("a", "b") == [b"1", b"1"]
    assert not any(task.done() for task in setting)
    held.release()

    assert await asyncio.gather(*setting) == [True, True]


async def test_what_is_cut_never_happened_and_a_lost_answer_did(
    proxy: RequestProxy[Command], redis: "Redis", beside: "Redis"
) -> None:
    cut = proxy.cut(lambda command: command.keys == ("a",))
    lost = proxy.lose_answer(lambda command: command.keys == ("b",))

    for name in "ab":
        with pytest.raises(RedisConnectionError):
            await redis.set(name, "1")

    await asyncio.gather(cut.reached(), lost.reached())
    assert await beside.mget("a", "b") == [None, b"1"]
    assert await redis.set("a", "1"), "once is once"


async def test_a_refusal_takes_its_own_place_among_the_answers_of_a_pipeline(
    proxy: RequestProxy[Command], redis: "Redis"
) -> None:
    proxy.refuse(lambda command: command.name == "SET", NOT_NOW, times=2)

    async with redis.pipeline(transaction=False) as pipe:
        for words in ("INCR n", "SET a 1", "SET b 1", "INCR n", "SET c 1", "LRANGE nothing 0 -1"):
            pipe.execute_command(*words.split())
        first, *refused, second, third, nothing = await pipe.execute(raise_on_error=False)

    assert (first, second, third, nothing) == (1, 2, True, [])
    assert [type(one) for one in refused] == [ResponseError] * 2
    assert "MISCONF" in str(refused[0])


async def test_a_script_is_known_by_its_text_and_by_its_digest_once_it_has_run(
    proxy: RequestProxy[Command], redis: "Redis", beside: "Redis"
) -> None:
    await beside.script_flush()
    await beside.hset(HASH, "seen", "1")
    seen = proxy.watch(runs(WRITE, RELEASE), answered=True)
    digest = hashlib.sha1(WRITE.encode(), usedforsecurity=False).hexdigest()
    lost = proxy.lose_answer(runs(WRITE), times=2)

    with pytest.raises(NoScriptError):
        await redis.evalsha(digest, 1, *write("a"))
    with pytest.raises(RedisConnectionError):
        await redis.eval(WRITE, 1, *write("a"))
    with pytest.raises(RedisConnectionError):
        await redis.evalsha(digest, 1, *write("b"))
    await lost.reached(2)
    assert await redis.evalsha(digest, 1, *write("c")) == [1, 3], (
        "the third of three, of which two answers were lost"
    )
    assert await redis.eval(RELEASE, 1, LOCK, "c") == 0

    assert sorted(await beside.hkeys(HASH)) == [b"a", b"b", b"c", b"seen", b"writes"]
    last = seen.met[-2:]
    assert len(seen.met) == 4, "and not what Redis did not know"
    assert [(command.script, command.keys) for command in last] == [(WRITE, (HASH,)), (RELEASE, (LOCK,))]
    assert [command.arguments[-3:] for command in last] == [(b"c", b"value", b"0"), (b"c",)]


@pytest.mark.parametrize("answered", [False, True])
async def test_a_process_is_killed_when_a_command_is_sent_or_has_run(
    proxy: RequestProxy[Command], redis: "Redis", beside: "Redis", *, answered: bool
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import sys; sys.stdin.read()", stdin=asyncio.subprocess.PIPE
    )
    proxy.kill(process.pid, lambda command: command.name == "SET", answered=answered)

    with pytest.raises(RedisConnectionError):
        await redis.set("a", "1")

    assert await process.wait() == -signal.SIGKILL
    assert await beside.get("a") == (b"1" if answered else None)


async def test_slowness_is_for_all_until_the_proxy_is_healed(
    proxy: RequestProxy[Command], redis: "Redis"
) -> None:
    clock = asyncio.get_running_loop().time
    slow = [
        proxy.slow(lambda command: command.name == "GET", 0.05, answered=answered)
        for answered in (False, True)
    ]

    began = clock()
    await redis.get("a")
    assert clock() - began >= 0.1
    await redis.get("a")
    await asyncio.gather(*(one.reached(2) for one in slow))
    proxy.heal()
    await redis.get("a")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await slow[0].reached(3)


async def test_a_matching_that_fails_is_told_and_not_lost(valkey: str) -> None:
    def fails(command: Command) -> bool:
        raise LookupError(command.name)

    async def asked() -> None:
        async with RequestProxy(RedisWire()).running() as proxy:
            proxy.cut(fails)
            async with Redis.from_url(proxy.lead_to(valkey), protocol=2, retry=None) as client:
                with pytest.raises(RedisConnectionError):
                    await client.ping()

    with pytest.raises(LookupError):
        await asked()


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """Give the URL of a server that says back what it was sent, in one piece and in chunks."""

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if request.path.endswith("/nothing"):
            return web.Response(status=204)
        if request.path.endswith("/whole"):
            return web.Response(body=body)
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for number in range(0, len(body), 100):
            await response.write(body[number : number + 100])
        return response

    port = free_port()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with served(app, port):
        yield f"http://127.0.0.1:{port}"


async def test_http_passes_whole_whatever_its_form(echo: str) -> None:
    body = bytes(range(256)) * 3

    async def in_chunks() -> AsyncIterator[bytes]:
        for number in range(0, len(body), 128):
            yield body[number : number + 128]

    async with RequestProxy(HttpWire()).running() as proxy, aiohttp.ClientSession() as client:
        seen = proxy.watch(asks("POST", ""))
        url = proxy.lead_to(echo)
        for path, sent in [
            ("/whole", body),
            ("/parts?x=1", in_chunks()),
            ("/parts", b""),
            ("/nothing", body),
        ]:
            async with client.post(url + path, data=sent) as response:
                received = await response.read()
            assert received == (b"" if path == "/nothing" or sent == b"" else body)

    assert [request.target for request in seen.met] == ["/whole", "/parts?x=1", "/parts", "/nothing"]
    assert [request.body for request in seen.met] == [body, body, b"", body]


async def test_http_requests_are_known_by_method_path_and_grant(echo: str) -> None:
    async with RequestProxy(HttpWire()).running() as proxy, aiohttp.ClientSession() as client:
        url = proxy.lead_to(echo)
        lost = proxy.lose_answer(token_request("refresh_token"))
        cut = proxy.cut(asks("PATCH", "/profile"))
        for grant in ("authorization_code", "refresh_token"):
            asking = client.post(f"{url}/t/oauth2/v2.0/token", data={"grant_type": grant, "code": "c"})
            if grant == "refresh_token":
                with pytest.raises(aiohttp.ClientError):
                    await asking
            else:
                assert (await asking).status == 200
        assert (await client.get(f"{url}/profile")).status == 200
        with pytest.raises(aiohttp.ClientError):
            await client.patch(f"{url}/profile?x=1", json={})
        await asyncio.gather(lost.reached(), cut.reached())
