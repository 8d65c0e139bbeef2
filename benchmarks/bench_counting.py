"""What is written and counted about each request costs, in microseconds of computing time.

Nothing is sent anywhere: each part is called as a request calls it, so often that the median is worth something. The
lines go to a file through the real queue, with the writing thread's share.
"""

import argparse
import asyncio
import gc
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.audit.origin import note_origin
from gateway.edge.client_address import ClientAddresses
from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import Caller, Limit, rules_of
from gateway.edge.limits import RateLimits
from gateway.edge.proxy_watch import ProxyWatch
from gateway.metrics import Metrics
from servicekit.callers import KNOWN
from servicekit.http.access_log import AccessLog
from servicekit.log_writer import LogQueue
from servicekit.logs import JsonLines, log_event
from servicekit.reference import request_id_of

_CALLS: Final = 2_000
_PERSON: Final = Caller("a tenant and a person", session="0123456789ab")
_NETWORK: Final = Caller("198.51.100.0/24", "198.51.0.0/16", network="198.51.100.0/24")


class NoRedis:
    """Names as Redis has them, and nobody to tell: what telling costs is Redis' own figure."""

    def name(self, *parts: str) -> str:
        """Return what somebody is called."""
        return "/".join(parts)

    def key(self, slot: str, *rest: str) -> str:
        """Return the key of a bucket."""
        return ":".join((slot, *rest))

    def call(self, buckets: Any) -> Any:
        """Return what counts."""
        return buckets

    def read(self, _answer: Any) -> None:
        """Return that nothing was counted."""
        return

    async def add(self, _buckets: Any, _cost: float) -> None:
        """Count nothing."""


async def a_request() -> web.Request:
    """Return a request that a router has seen, of somebody who is known."""

    async def handler(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/api/session", handler)
    headers = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/130.0"}
    request = make_mocked_request("GET", "/api/session", headers=headers, app=app).clone(
        remote="198.51.100.7"
    )
    match = await app.router.resolve(request)
    match.add_app(app)
    request._match_info = match  # noqa: SLF001 - as aiohttp does
    request[KNOWN] = True
    request_id_of(request)
    return request


def parts(request: web.Request, queue: LogQueue) -> Iterator[tuple[str, Callable[[], object]]]:
    """Give each part by its name."""
    logger = logging.Logger("gateway.access", logging.INFO)  # noqa: LOG001 - known to nobody else
    logger.addHandler(queue)
    quiet = logging.Logger("gateway.access", logging.WARNING)  # noqa: LOG001 - known to nobody else
    access, response = AccessLog(logger, ""), web.Response()
    yield "access line", lambda: access.log(request, response, 0.004)
    yield "event that nobody hears", lambda: log_event(quiet, logging.INFO, "request", status=200)

    metrics = Metrics()
    route = metrics.of_route("GET", "/api/session")
    yield "request counted", lambda: route.answered(200, 0.004)
    yield "command counted", lambda: metrics.redis_asked("answered", 0.0004)
    yield "upstream counted", lambda: metrics.upstream_asked("notes", "answered", 0.004)

    addresses = ClientAddresses(())
    watch = ProxyWatch(addresses.is_trusted, now=time.monotonic, counts=metrics, on_found=lambda _peer: None)
    yield "origin noted", lambda: note_origin(request, addresses.of(request))
    yield "proxy watched", lambda: watch.see(request)

    limits = RateLimits(
        rules_of(sign_ins=10**9),
        NoRedis(),
        reports=LimitReports(metrics, now=time.monotonic),
        now=time.monotonic,
    )
    yield "limit of cookies", lambda: limits.look(Limit.SESSION_COOKIES, _PERSON)
    yield "limit of a person", lambda: limits.take(Limit.READS, _PERSON)
    yield "limit of a network", lambda: limits.take(Limit.ANONYMOUS_READS, _NETWORK)


def microseconds(work: Callable[[], object], queue: LogQueue, turns: int) -> float:
    """Return what one call takes of all threads of this process; the median of so many turns."""
    took: list[float] = []
    for _ in range(turns):
        gc.collect()
        began = time.process_time()
        for _ in range(_CALLS):
            work()
        while not queue.queue.empty():
            time.sleep(0.001)
        took.append((time.process_time() - began) / _CALLS * 1e6)
    assert not queue.dropped, queue.dropped
    return statistics.median(took)


def main() -> None:
    """Print each part and what it costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    turns = parser.parse_args().turns
    request = asyncio.run(a_request())
    with tempfile.TemporaryFile("w+b") as file:
        queue = LogQueue(file.fileno(), JsonLines())
        for name, work in parts(request, queue):
            print(f"{name:25}{microseconds(work, queue, turns):6.2f} µs")
        queue.end()


if __name__ == "__main__":
    main()
