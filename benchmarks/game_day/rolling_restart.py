"""Gateways are replaced by others while people come.

Owns row L7b: two gateways restarted one after the other behind haproxy, and one that stands alone.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.game_day.load_client import ask_by_new_connections, ask_once_each
from benchmarks.game_day.part_of_stack import Gateway, another_gateway
from benchmarks.game_day.people import PROFILE, SESSION, Tenant, asking, host_of, signed_in
from benchmarks.game_day.report import Report, Row, Size
from benchmarks.game_day.tally import REFUSED
from benchmarks.running import product
from devstack.keeper import Keeper
from devstack.ports import free_port, in_use
from devstack.processes import Child, Program
from devstack.stack import Stack

_TWO: Final = {"GATEWAY_WORKERS": "2"}
_EVERY: Final = 0.02
_LONG: Final = 1.0
_PLACES: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_HAPROXY: Final = """global
    maxconn 512
defaults
    mode http
    timeout connect 2s
    timeout client 20s
    timeout server 20s
    option redispatch
    retries 3
frontend front
    bind 127.0.0.1:{front}
    default_backend gateways
backend gateways
    balance roundrobin
    option httpchk
    http-check send meth GET uri /health/ready hdr Host {host}
    default-server inter 250ms fall 2 rise 1
    server one 127.0.0.1:{one} check
    server two 127.0.0.1:{two} check
"""


async def rolling_restart(report: Report, size: Size) -> None:
    """Restart two gateways with two workers each behind haproxy, and one of them without it."""
    with product() as stack:
        people = await signed_in(stack, size.of(10))
        asked = asking(stack, people, SESSION)
        with another_gateway(stack, settings=_TWO) as one:
            if shutil.which("haproxy", path=_PLACES):
                with another_gateway(stack, settings=_TWO) as two, _balancer(stack, one, two) as front:
                    await _one_after_the_other(report, size, front, (one, two), asked)
            else:
                report.pass_over("a rolling restart behind haproxy, which is not installed")
            await _draining(report, stack, one, asked)


async def _one_after_the_other(
    report: Report, size: Size, front: int, gateways: tuple[Gateway, Gateway], asked: list[bytes]
) -> None:
    await _until_in_use(front)
    going = asyncio.create_task(ask_by_new_connections(front, asked, every=_EVERY, seconds=size.lasting(20)))
    for gateway in gateways:
        await asyncio.sleep(1)
        await asyncio.to_thread(gateway.child.stop, 25)
        gateway.child.start()
        await _until_in_use(gateway.port)
        await asyncio.sleep(1.5)
    told = await going
    failed = told.total - told.number("200")
    report.did(
        "both gateways stop by SIGTERM and start again, in turn, while a new connection asks every 20 ms"
    )
    report.saw("people behind haproxy", told)
    report.promise("nobody meets a failure", held=not failed, seen=f"{failed} of {told.total}")


@contextmanager
def _balancer(stack: Stack, one: Gateway, two: Gateway) -> Iterator[int]:
    """Run haproxy before two gateways while the block runs; gives its port."""
    front = free_port()
    with TemporaryDirectory() as folder, closing(Keeper()) as keeper:
        configuration = Path(folder) / "haproxy.cfg"
        text = _HAPROXY.format(front=front, host=host_of(stack), one=one.port, two=two.port)
        configuration.write_text(text, encoding="utf-8")
        binary = shutil.which("haproxy", path=_PLACES)
        assert binary is not None
        command = (binary, "-f", str(configuration), "-db")
        log = configuration.with_suffix(".log")
        child = Child(Program("haproxy", command, dict(os.environ), Path(folder), log), keeper)
        child.start()
        try:
            yield front
        finally:
            child.stop(2)


async def _draining(report: Report, stack: Stack, gateway: Gateway, asked: list[bytes]) -> None:
    """Stop a gateway that stands alone while people come by new connections: they are served or refused, at once."""
    report.did(
        "SIGTERM to a gateway with two workers without a balancer, while a request of 3 s is under way"
    )
    async with Tenant.of(stack) as tenant:
        await tenant.fault("graph.get_me", delay_ms=3000)
        slow = asyncio.create_task(
            ask_once_each(
                gateway.port, [asked[0].replace(SESSION.encode(), PROFILE.encode(), 1)], patience=20
            )
        )
        await asyncio.sleep(0.5)
        os.kill(gateway.pid, signal.SIGTERM)
        told = await ask_by_new_connections(gateway.port, asked, every=0.05, seconds=5, patience=8)
        finished = await slow
        await tenant.heal()
    report.saw("who comes by new connections while it goes", told)
    report.saw("the request of before", finished)
    late = sum(1 for took in told.took if took > _LONG)
    cut = told.unanswered - told.counts[REFUSED]
    report.promise("the request of before is finished", held=finished.all_are("200"), seen=finished.counts)
    report.promise(
        "who comes is served or refused, and never left hanging",
        held=not late and not cut,
        seen=f"{late} late, {cut} cut",
    )


async def _until_in_use(port: int) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(in_use, port):  # noqa: ASYNC110 - another process listens, and tells nobody
            await asyncio.sleep(0.05)


ROWS: Final = (Row("L7b", "a rolling restart behind a balancer, and one without", rolling_restart),)
