"""What the benchmarks share: the product as processes, and a person who signs in."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from devstack.ports import Ports, free_ports
from devstack.stack import Stack, running_stack
from tests.stage.other_front_end import OtherFrontEnd


@contextmanager
def product(**settings: str) -> Iterator[Stack]:
    """Run the product while the block runs; settings by their full names."""
    with product_on(free_ports(), settings) as stack:
        yield stack


@contextmanager
def product_on(ports: Ports, settings: Mapping[str, str]) -> Iterator[Stack]:
    """Run the product on these ports while the block runs."""
    # All people of a benchmark come from one address, and do in a second what takes others an hour.
    limits = {"GATEWAY_JOURNEYS_PER_MINUTE": "100000", "GATEWAY_READS_PER_MINUTE": "1000000"}
    environment = {**limits, **settings}
    with (
        TemporaryDirectory() as folder,
        running_stack(Path(folder), ports=ports, env_overrides=environment) as stack,
    ):
        yield stack


async def set_up_tenant(person: OtherFrontEnd, stack: Stack, **knobs: int) -> None:
    """Turn switches of the local tenant."""
    async with person.session.put(f"{stack.tenant_url}/admin/settings", json=knobs) as answer:
        assert answer.status < 300, await answer.text()


async def forget_requests(person: OtherFrontEnd, stack: Stack) -> None:
    """Let the tenant count anew."""
    async with person.session.delete(f"{stack.tenant_url}/admin/requests") as answer:
        assert answer.status < 300, await answer.text()


async def asked(person: OtherFrontEnd, stack: Stack, point: str) -> int:
    """Return how often the tenant was asked for something."""
    async with person.session.get(f"{stack.tenant_url}/admin/requests?point={point}") as answer:
        return len(await answer.json())


async def milliseconds(work: Callable[[], Awaitable[object]], times: int) -> float:
    """Return the median duration of something, after a few that do not count."""
    for _ in range(5):
        await work()
    took: list[float] = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return sorted(took)[len(took) // 2]
