"""What is counted of the gateway's work (U35)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.app_keys import METRICS
from gateway.metrics import Metrics
from gateway.operation.admin_side import create_admin_side
from gateway.operation.loop_lag import watch_the_loop
from gateway.operation.shortages import watch_shortages
from gateway.store.redis.connection import redis_client
from servicekit.audit.trail import Trail
from servicekit.breaker import FAILURES
from servicekit.http.connections import Connections
from tests.product.test_authority_in_trouble import fault, heal
from tests.product.test_operation import answers
from tests.product.test_tokens import broker_of, end_of_token
from tests.stage.certificates import client_certificate
from tests.stage.controls import counted_by
from tests.stage.ports import free_port
from tests.stage.trails import trail_to
from tests.stage.witnesses import session_keys
from tests.stage.world import World, served


def drawn(world: World) -> str:
    """Return what an operator would read."""
    return world.app[METRICS].drawn().decode()


def counted(text: str, name: str) -> dict[tuple[str, ...], float]:
    """Return a counter's values, or how often a histogram was told something, by labels in the order of their names."""
    family, values = name.removesuffix("_total"), {}
    for metric in text_string_to_metric_families(text):
        for sample in metric.samples:
            if metric.name == family and sample.name in {name, f"{name}_count"}:
                values[tuple(sample.labels.values())] = sample.value
    return values


async def test_U35_metrics_count_by_route_and_problem_and_nothing_that_a_stranger_chooses(
    world: World,
) -> None:
    ada = await world.signed_in()
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    await ada.call("XQZXQZ", "/api/profile")
    await ada.call("XQZXQZ", "/nobody/knows/this")
    for path in ("/nobody/knows/this", "/api/parked-edits/aaaaaaaaaaaaaaaaaaaaaa", "/api/profile?nobody=1"):
        await ada.call("GET", path)
    await ada.navigate("/auth/callback", {"state": "x", "code": "y"})

    text = drawn(world)

    assert counted(text, "stepup_requests_total")[("PATCH", "/api/profile", "403")] == 1
    assert counted(text, "stepup_problems_total")[("step-up-required",)] == 1
    assert counted(text, "stepup_problems_total")[("sign-in-expired",)] == 1
    assert counted(text, "stepup_request_seconds")[("GET", "/api/parked-edits/{id}")] == 1
    for theirs in ("nobody", "aaaaaa", "XQZ"):
        assert theirs not in text


async def test_U35_every_flow_is_counted_when_it_begins_and_by_how_it_ends(world: World) -> None:
    ada = await world.signed_in()
    page = await ada.leave("/auth/step-up?action=profile.edit")
    await ada.come_back(await ada.visitor.follow(page, "Cancel"))
    await ada.step_up("/auth/step-up?action=profile.edit")
    await ada.navigate("/auth/sign-in")
    await (await world.front_end()).navigate("/auth/step-up?action=profile.edit")

    assert counted(drawn(world), "stepup_journeys_total") == {
        ("begun", "sign-in"): 2,
        ("completed", "sign-in"): 1,
        ("begun", "step-up"): 2,
        ("completed", "step-up"): 1,
        ("step-up-cancelled", "step-up"): 1,
        ("sign-in-required", "step-up"): 1,
    }


async def test_U35_silent_refreshes_are_counted_by_how_they_end_and_so_are_the_sessions_that_end(
    world: World,
) -> None:
    ada = await world.signed_in()
    await ada.call("PATCH", "/api/profile", {"city": "Rome"})
    await end_of_token(world, ada, 0)
    assert (await ada.call("GET", "/api/profile")).status == 200
    await world.admin("POST", "/people/ada@example.com/revoke")
    await end_of_token(world, ada, 0)
    assert (await ada.call("GET", "/api/profile")).status == 401
    await ada.call("POST", "/auth/sign-out")
    other = await world.signed_in()
    await other.call("POST", "/auth/sign-out")

    text = drawn(world)

    assert counted(text, "stepup_refreshes_total") == {
        ("interaction", "edit"): 1,
        ("renewed", "graph"): 1,
        ("grant-dead", "graph"): 1,
    }
    assert counted(text, "stepup_sessions_ended_total") == {("revoked",): 1, ("signed-out",): 1}
    assert counted(text, "stepup_token_request_seconds") == {
        ("authorization_code", "granted"): 2,
        ("refresh_token", "granted"): 1,
        ("refresh_token", "refused"): 2,
    }


async def test_U35_the_token_endpoint_is_seen_to_fail_to_be_left_alone_and_to_recover(world: World) -> None:
    ada = await world.signed_in()
    await end_of_token(world, ada, 0)
    await fault(world, "token.refresh_token", status=503)
    for _ in range(4):
        await ada.call("GET", "/api/profile")
        world.forward(61)
    assert counted(drawn(world), "stepup_breaker_open")[("token-endpoint",)] == 0

    await fault(world, "token.refresh_token", status=503, retry_after=30)
    await ada.call("GET", "/api/profile")
    assert counted(drawn(world), "stepup_breaker_open")[("token-endpoint",)] == 1
    assert counted(drawn(world), "stepup_token_request_seconds")[("refresh_token", "failed")] == 5

    await heal(world)
    world.forward(61)
    assert (await ada.call("GET", "/api/profile")).status == 200
    await broker_of(world).settle(5)
    assert counted(drawn(world), "stepup_breaker_open")[("token-endpoint",)] == 0


async def test_S33_a_record_that_no_key_opens_is_counted(world: World) -> None:
    ada = await world.signed_in()
    (key,) = session_keys(await world.keys())

    await world.redis.hset(key, "session", b"9999999999999\x01" + b"k" * 200)
    assert (await ada.call("GET", "/api/profile")).status == 401

    assert set(counted(drawn(world), "stepup_records_rejected_total")) == {("session",)}


async def test_U35_redis_is_seen_to_answer_to_fail_and_to_be_left_alone(valkey: str) -> None:
    metrics, lost = Metrics(), Metrics()
    there, nowhere = (
        redis_client(valkey, counts=metrics),
        redis_client(f"redis://127.0.0.1:{free_port()}", counts=lost),
    )
    await there.ping()
    with pytest.raises(Exception, match="wrong number of arguments"):
        await there.execute_command("GET")
    for _ in range(FAILURES + 1):
        with pytest.raises(RedisConnectionError):
            await nowhere.ping()
    await there.aclose()
    await nowhere.aclose()

    answered, failed = metrics.drawn().decode(), lost.drawn().decode()
    assert counted(answered, "stepup_redis_seconds") == {("answered",): 1, ("refused",): 1}
    assert counted(answered, "stepup_breaker_open")[("redis",)] == 0
    assert counted(failed, "stepup_redis_seconds") == {("failed",): FAILURES, ("not-sent",): 1}
    assert counted(failed, "stepup_breaker_open")[("redis",)] == 1


async def test_U35_a_stream_is_a_request_but_how_long_it_stays_open_is_no_answer_time() -> None:
    metrics, port = Metrics(), free_port()
    app = web.Application(middlewares=[counted_by(metrics)])

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write_eof()
        return response

    app.router.add_get("/events", stream)
    async with served(app, port):
        await answers(f"http://127.0.0.1:{port}/events")

    text = metrics.drawn().decode()
    assert counted(text, "stepup_requests_total") == {("GET", "/events", "200"): 1}
    assert counted(text, "stepup_request_seconds") == {}


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    """Give a trail whose process has ended, after two lines."""
    trail = trail_to(tmp_path / "audit.log")
    trail.end()
    return trail


async def test_L11_L12_what_was_lost_for_want_of_room_is_counted_once(trail: Trail) -> None:
    metrics, connections, looks = Metrics(), Connections(), asyncio.Queue[dict[str, int]]()
    lost = {"info": 2}

    def dropped() -> dict[str, int]:
        looks.put_nowait(lost)
        return dict(lost)

    watch = asyncio.create_task(watch_shortages(metrics, connections, trail, dropped=dropped, every=0.01))
    try:
        await looks.get()
        lost |= {"info": 5, "error": 1}
        connections.closed_for_room, connections.refused = 7, 3
        trail.lost = 3
        while not looks.empty():
            looks.get_nowait()
        for _ in range(3):
            await looks.get()
    finally:
        watch.cancel()

    text = metrics.drawn().decode()
    assert counted(text, "stepup_log_lines_dropped_total") == {("info",): 5, ("error",): 1}
    assert counted(text, "stepup_connections_closed_for_room_total") == {(): 7}
    assert counted(text, "stepup_connections_refused_total") == {(): 3}
    assert counted(text, "stepup_connections") == {(): 0}
    assert counted(text, "stepup_audit_lines_total") == {("written",): 2, ("lost",): 3}
    assert counted(text, "stepup_audit_written") == {(): 1}


async def test_U35_a_loop_that_is_held_up_is_seen_to_be_late() -> None:
    lags: asyncio.Queue[float] = asyncio.Queue()
    watch = asyncio.create_task(watch_the_loop(lags.put_nowait, every=0.01))
    await lags.get()
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)
    late = [await lags.get() for _ in range(3)]
    watch.cancel()

    assert max(late) > 0.2


async def test_U35_the_end_of_the_client_certificate_is_told_and_that_of_a_secret_is_not(
    make_world: Callable[..., Awaitable[World]], tmp_path: Path
) -> None:
    path, _ = client_certificate(tmp_path, rsa.generate_private_key(65_537, 2048), 90)
    in_90_days = time.time() + 90 * 86_400
    for settings, expected in (
        ({}, None),
        ({"CLIENT_SECRET": "", "CLIENT_CERTIFICATE": str(path)}, in_90_days),
    ):
        world, port = await make_world(**settings), free_port()
        async with served(create_admin_side(world.app), port):
            text = await read(f"http://127.0.0.1:{port}/metrics")
        ends = counted(text, "stepup_client_certificate_end_timestamp_seconds")
        assert ends == ({} if expected is None else {(): pytest.approx(expected, abs=86_400)})


async def test_A8_the_operators_side_answers_to_its_own_names_and_to_those_that_are_set(
    make_world: Callable[..., Awaitable[World]],
) -> None:
    world, port = (
        await make_world(ADMIN_NAMES="Metrics.Example.com", ADMIN_HOST="box.example.org"),
        free_port(),
    )
    async with (
        served(create_admin_side(lambda: world.app), port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        for path in ("/metrics", "/health/ready", "/nowhere"):
            for host in ("evil.example", f"evil.example:{port}", "metrics.example.com.evil.example"):
                async with session.get(path, headers={"Host": host}) as answer:
                    text = await answer.text()
                    assert (answer.status, "/problems/misdirected-request" in text) == (421, True)
                    assert "evil" not in text
                    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        for host in (
            "metrics.example.com",
            "box.example.org:1",
            "gateway:3002",
            f"127.0.0.1:{port}",
            "gateway.svc",
        ):
            async with session.get("/metrics", headers={"Host": host}) as answer:
                assert answer.status == 200


async def read(url: str) -> str:
    """Return what is answered at an address."""
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()
