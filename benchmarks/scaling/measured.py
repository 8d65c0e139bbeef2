"""What was measured, on 2026-11-27 on the computer that benchmarks/README.md names, and what it comes to.

Owns the figures that `docs/explanation/scaling.md` computes with, each with the command that measures it.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from benchmarks.scaling.habits import Load

GIGABYTE: Final = 1e9


@dataclass(frozen=True, slots=True)
class Price:
    """What one of something costs."""

    microseconds: float
    """Of a gateway's core: benchmarks.flames, benchmarks.bench_tokens, benchmarks.bench_sign_in."""
    commands: float
    """To Redis: benchmarks.call_trace."""
    token_requests: float = 0.0
    authority_requests: float = 0.0
    """As the authority counts them, token requests included."""


# A sign-in at Entra External ID counts as 4 requests at its pages and 1 for the token; a step-up by a code in an email
# as 2 more (Microsoft, "Service limits and restrictions" of External ID).
SIGN_IN: Final = Price(4_800, 7, 1, 5)
STEP_UP: Final = Price(4_850, 12, 1, 7)
SAVE: Final = Price(1_600, 2)
REFRESH: Final = Price(5_300, 5, 1, 1)
SESSION: Final = Price(45, 1)
ROW: Final = Price(124, 1)

BYTES_A_SESSION: Final = 4_370 + 1_300
"""In Valkey 9, with the token of a confirmation: benchmarks.bench_session_memory, docs/reference/redis.md."""
REDIS_MICROSECONDS: Final = 15.0
"""Of Redis' one thread, a command; the most that a request of the kinds W1 and W2 took: benchmarks.peers."""
BYTES_A_CONNECTION: Final = 20_000
"""Of a gateway's memory, open and idle: benchmarks.bench_connections."""
BYTES_A_STREAM: Final = 24_000
"""More, while a page listens by it: benchmarks.bench_event_streams."""

# How full anything is planned to be.
BUSY: Final = 0.6
REDIS_GIGABYTES: Final = 10.0
"""Of one server: what is left of 16 GB for a fork that saves, and for buffers."""

# Microsoft's limits for an external tenant, same page.
TENANT_REQUESTS: Final = 200
ADDRESS_REQUESTS: Final = 20


@dataclass(frozen=True, slots=True)
class Size:
    """What a load takes."""

    cores: float
    redis_commands: float
    redis_gigabytes: float
    redis_masters: int
    token_requests: float
    authority_requests: float
    addresses: int
    """From which the gateways ask for tokens, by Microsoft's limit for one."""
    connection_gigabytes: float


def size_of(load: Load) -> Size:
    """Return what a load takes by what was measured."""
    work = (
        (load.sign_ins, SIGN_IN),
        (load.step_ups, STEP_UP),
        (load.saves, SAVE),
        (load.refreshes, REFRESH),
        (load.reads_of_session, SESSION),
        (load.reads_of_rows, ROW),
    )
    commands = sum(rate * price.commands for rate, price in work)
    gigabytes = load.sessions * BYTES_A_SESSION / GIGABYTE
    tokens = sum(rate * price.token_requests for rate, price in work)
    return Size(
        cores=sum(rate * price.microseconds for rate, price in work) / 1e6 / BUSY,
        redis_commands=commands,
        redis_gigabytes=gigabytes,
        redis_masters=max(
            1, ceil(gigabytes / REDIS_GIGABYTES), ceil(commands * REDIS_MICROSECONDS / 1e6 / BUSY)
        ),
        token_requests=tokens,
        authority_requests=sum(rate * price.authority_requests for rate, price in work),
        addresses=ceil(tokens / ADDRESS_REQUESTS),
        connection_gigabytes=load.streams * (BYTES_A_CONNECTION + BYTES_A_STREAM) / GIGABYTE,
    )
