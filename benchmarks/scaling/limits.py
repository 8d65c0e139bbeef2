"""What breaks first as people become more: each limit, at how many people it is met, and what to turn then.

A limit grows with people in proportion, so one reckoning for a million says where each of them lies.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.scaling.habits import Habits, Load, load_of
from benchmarks.scaling.measured import (
    ADDRESS_REQUESTS,
    BUSY,
    REDIS_GIGABYTES,
    REDIS_MICROSECONDS,
    TENANT_REQUESTS,
    Size,
    size_of,
)

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that is had once by default."""

    what: str
    most: float
    taken: Callable[[Load, Size], float]
    turn: str


LIMITS: Final = (
    Limit(
        f"Entra takes {ADDRESS_REQUESTS} requests a second from one address",
        ADDRESS_REQUESTS,
        lambda _, size: size.token_requests,
        "Gateways that leave by more addresses, before anything else is turned.",
    ),
    Limit(
        f"Entra takes {TENANT_REQUESTS} requests a second of one tenant",
        TENANT_REQUESTS,
        lambda _, size: size.authority_requests,
        "Longer sessions mean fewer sign-ins: `GATEWAY_SESSION_IDLE_SECONDS`, `GATEWAY_SESSION_ABSOLUTE_SECONDS`, "
        "and a longer token lifetime in the tenant; then Microsoft has to raise it.",
    ),
    Limit(
        "an external tenant holds 300,000 objects, people among them",
        300_000,
        lambda load, _: load.people,
        "Microsoft raises it on request.",
    ),
    Limit(
        "Graph takes 8,000 reads in ten seconds of one app in a large tenant, if one read in thirty is the profile",
        800,
        lambda load, _: load.reads_of_rows / 30,
        "Let pages ask for the profile once a session, and not at every view.",
    ),
    Limit(
        f"one gateway process has one core, {BUSY:.0%} of it in use",
        1,
        lambda _, size: size.cores,
        "`GATEWAY_WORKERS` up to the cores of the computer, then more computers behind the proxy: "
        "they share nothing but Redis.",
    ),
    Limit(
        "one gateway process of 1 GB holds connections and streams",
        1,
        lambda _, size: size.connection_gigabytes,
        "The same; and the proxy's number of open files, and the process's own (`ulimit -n`).",
    ),
    Limit(
        f"one Redis of {REDIS_GIGABYTES:.0f} GB",
        REDIS_GIGABYTES,
        lambda _, size: size.redis_gigabytes,
        "A larger one, or a cluster: `GATEWAY_REDIS_URL=redis+cluster://…`.",
    ),
    Limit(
        f"one Redis has one thread, {BUSY:.0%} of it in use",
        BUSY,
        lambda _, size: size.redis_commands * REDIS_MICROSECONDS / 1e6,
        "A cluster: `GATEWAY_REDIS_URL=redis+cluster://…`.",
    ),
)


def in_order(habits: Habits) -> Iterator[tuple[Limit, float]]:
    """Yield each limit with how many people meet it, the first one first."""
    load = load_of(MILLION, habits)
    size = size_of(load)
    met = [(limit, MILLION * limit.most / limit.taken(load, size)) for limit in LIMITS]
    yield from sorted(met, key=lambda pair: pair[1])
