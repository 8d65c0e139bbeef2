"""Where operators read the metrics: on one port, summed over all processes: docs/reference/metrics.md (U35)."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from gateway.counts import Counts
from gateway.metrics import Metrics
from gateway.operation.parent import shared_counts
from gateway.request_metrics import FLOW
from gateway.upstream_metrics import UpstreamMetrics
from servicekit.problems import PROBLEM
from servicekit.version import VERSION
from tests.product.test_metrics import counted, read
from tests.product.test_operation import answers, environment, process
from tests.stage.controls import counted_by
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.sources import ROOT
from tests.stage.world import World, served

ROW = re.compile(r"^\| `(stepup_\w+)` \| ([^|]*) \|", re.MULTILINE)


async def test_U35_metrics_are_on_the_side_port_alone(world: World, valkey: str) -> None:
    port, admin = free_port(), free_port()
    async with process(environment(world, valkey, port, ADMIN_PORT=str(admin))):
        beside = await answers(f"http://127.0.0.1:{admin}/metrics")
        public = await answers(f"http://127.0.0.1:{port}/metrics")

    assert (beside.status, beside.content_type) == (200, "text/plain")
    assert public.status == 404


# Several processes


_ONE_OF_TWO = """
import pathlib, sys
from gateway.metrics import Metrics
metrics = Metrics(pathlib.Path(sys.argv[1]))
metrics.session_ended("expired")
metrics.breaker_turned("redis", is_open=True)
metrics.of_route("GET", "/api/session").answered(200, 0.0421)
metrics.redis_asked("answered", 0.0004)
metrics.request_numbers("work").in_work = 3
print(metrics.drawn().decode())
"""


async def test_U35_what_several_processes_count_is_one_sum(tmp_path: Path) -> None:
    around = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    texts = []
    for _ in range(2):
        one = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _ONE_OF_TWO, str(tmp_path), env=around, stdout=asyncio.subprocess.PIPE
        )
        texts.append((await one.communicate())[0].decode())

    assert [counted(text, "stepup_sessions_ended_total")[("expired",)] for text in texts] == [1, 2]
    assert counted(texts[1], "stepup_breaker_open")[("redis",)] == 2
    assert counted(texts[1], "stepup_requests_total") == {("GET", "/api/session", "200"): 2}
    assert counted(texts[1], "stepup_request_seconds") == {("GET", "/api/session"): 2}
    assert counted(texts[1], "stepup_redis_seconds") == {("answered",): 2}
    assert counted(texts[1], "stepup_requests_in_work")[("work",)] == 6
    assert counted(texts[1], "stepup_build_info") == {(VERSION,): 1}, "which version runs, and not how many"


async def test_U35_two_workers_answer_with_what_both_counted(
    world: World, valkey: str, tmp_path: Path
) -> None:
    port, admin = free_port(), free_port()
    settings = environment(world, valkey, port, WORKERS="2", ADMIN_PORT=str(admin))
    async with process(settings | {"TMPDIR": str(tmp_path)}) as run:
        await answers(f"http://127.0.0.1:{port}/health/live")
        assert await _lives(admin, 1) == 1
        async with aiohttp.ClientSession() as session:
            for _ in range(40):
                headers = {"Connection": "close"}
                async with session.get(f"http://127.0.0.1:{port}/health/live", headers=headers) as answer:
                    assert answer.status == 200
        assert await _lives(admin, 41) == 41
        assert lying_in(tmp_path)
        run.terminate()
        assert await asyncio.wait_for(run.wait(), PATIENCE) == 0
    assert lying_in(tmp_path) == []


def lying_in(folder: Path) -> list[str]:
    """Return what is in a directory."""
    return [path.name for path in folder.iterdir()]


async def _lives(admin: int, least: int) -> float:
    """Return how many questions after life were counted, once that many were: a worker tells once a second."""
    url = f"http://127.0.0.1:{admin}/metrics"
    await answers(url)
    async with asyncio.timeout(PATIENCE):
        while True:
            lives = counted(await read(url), "stepup_requests_total")
            if (count := lives.get(("GET", "/health/live", "200"), 0)) >= least:
                return count
            await asyncio.sleep(0.05)


def test_U35_where_no_file_can_be_written_each_worker_counts_for_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as closing:
        directory = shared_counts(closing, str(tmp_path))
        assert directory is not None
        assert directory.parent == tmp_path
        assert shared_counts(closing, str(tmp_path / "nowhere")) is None

    assert "metrics-not-shared" in caplog.messages
    assert lying_in(tmp_path) == []


# The page


def test_U29_docs_metrics_md_has_every_metric_with_its_labels() -> None:
    text = (ROOT / "docs/reference/metrics.md").read_text(encoding="utf-8")
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in ROW.findall(text)}

    assert documented == dict(_names_and_labels())


def test_U29_what_is_to_wake_an_operator_is_measured() -> None:
    text = (ROOT / "docs/how-to/monitor.md").read_text(encoding="utf-8")
    named = set(re.findall(r"stepup_\w+", text))

    assert named
    assert named <= {name for name, _ in _names_and_labels()}


def _names_and_labels() -> Iterator[tuple[str, set[str]]]:
    metrics = Metrics()
    for method, arguments in {
        "refreshed": ("graph", "renewed"),
        "token_requested": ("refresh_token", "granted", 0.1),
        "session_ended": ("expired",),
        "record_rejected": ("session",),
        "clock_differs": ("redis", 3),
        "redis_asked": ("answered", 0.1),
        "request_numbers": ("work",),
        "request_refused": ("work",),
        "limited": ("sign-ins",),
        "loop_was_late": (0.1,),
        "log_lines_dropped": ("info", 1),
        "certificate_ends": (1.0,),
        "parked": ("notes", "waits"),
        "upstream_asked": ("notes", "answered", 0.1),
        "upstream_answer_ended": ("notes", "whole"),
        "watch_upstream_exchanges": (lambda: {"notes": 1},),
        "sockets_open": ("notes", 1),
    }.items():
        getattr(metrics, method)(*arguments)
    metrics.audit_lines(written=1, lost=0, is_written=True)
    asyncio.run(_one_request(metrics))
    for family in text_string_to_metric_families(metrics.drawn().decode()):
        if not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, {label for sample in family.samples for label in sample.labels} - {"le"}


async def _one_request(metrics: Metrics) -> None:
    async def fails(request: web.Request) -> web.Response:
        request[PROBLEM], request[FLOW] = "sign-in-failed", ("sign-in", "completed")
        return web.Response()

    app, port = web.Application(middlewares=[counted_by(metrics)]), free_port()
    app.router.add_get("/", fails)
    async with served(app, port):
        await answers(f"http://127.0.0.1:{port}/")


def test_counting_nothing_takes_the_same_words() -> None:
    named = {name for name in vars(Counts) if not name.startswith("_")}

    assert named <= {*vars(Metrics), *vars(UpstreamMetrics)}, "each of them is counted"
