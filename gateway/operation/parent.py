"""The parent of several workers, from its beginning to its end.

Owns the listening sockets, the directory of the counts that workers share, and what signals mean for all of them. It
begins as an interpreter of its own, in the process that the gateway was started as: whoever read the settings has
imported too much for a process that only waits.
Never reads a setting, never serves, and imports next to nothing.
"""

import asyncio
import json
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NoReturn

from gateway.operation.forks import Fresh
from gateway.operation.workers import Workers
from servicekit.http.listening import AddressNotToBeHad, listening_sockets
from servicekit.http.orders import Orders, hold_signals, take_signals
from servicekit.logs import configure_logs, log_event
from servicekit.version import VERSION

PARENT: Final = "STEPUP_PARENT"
"""The variable by which a process knows that it is the parent, and what it has to do."""
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes count together; prometheus_client reads it when it is imported."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a parent has to know of the settings; nothing secret, as others on this computer may see it."""

    workers: int
    addresses: list[tuple[str, int]]
    log_level: str
    patience: float


def become_parent(plan: Plan, environment: Mapping[str, str]) -> NoReturn:
    """Begin anew as the parent: the same command in the same process, which signals and supervisors know."""
    command = _command()
    os.execve(command[0], command, {**environment, PARENT: json.dumps(asdict(plan))})  # noqa: S606 - our own


def _command() -> list[str]:
    """Return what this process was called as: another one finds the same code by it, and looks the same to people."""
    return [sys.executable, *sys.orig_argv[1:]]


def run_parent(text: str, environment: Mapping[str, str]) -> int:
    """Keep workers, and return the exit status: 1 for a port that is taken, and where no worker comes up."""
    plan = Plan(**json.loads(text))
    hold_signals()
    configure_logs(level=plan.log_level)
    with ExitStack() as closing:
        try:
            listeners = listening_sockets("gateway", plan.addresses, closing)
        except AddressNotToBeHad as sentence:
            sys.stderr.write(f"{sentence}\n")
            return 1
        shared = shared_counts(closing)
        log_event(
            _log,
            logging.INFO,
            "listening",
            version=VERSION,
            addresses=plan.addresses,
            workers=plan.workers,
        )
        around = {**environment, **({SHARED: str(shared)} if shared else {})}
        # asyncio's own loop: there is nothing here to be fast at.
        return asyncio.run(_serve_together(plan, around, listeners))


async def _serve_together(
    plan: Plan, environment: Mapping[str, str], listeners: Sequence[socket.socket]
) -> int:
    orders = Orders()
    workers = Workers(
        plan.workers,
        _command(),
        environment,
        listeners,
        orders,
        on_settings=_follow,
        on_refusal=_tell_of_refusal,
        patience=plan.patience,
    )
    take_signals(orders, on_reload=workers.read_settings)
    return await workers.run()


def _follow(settings: Fresh) -> None:
    configure_logs(level=settings.log_level)


def _tell_of_refusal(faults: list[str]) -> None:
    log_event(_log, logging.ERROR, "reload-refused", faults=faults)


def shared_counts(closing: ExitStack, folder: str | None = None) -> Path | None:
    """Return a new directory for the workers' counts, below `folder` or where temporary files lie.

    None where none can be made: then each worker counts for itself, which is no reason not to serve.
    """
    try:
        directory = tempfile.TemporaryDirectory(prefix="stepup-metrics-", dir=folder)
    except OSError as error:
        log_event(_log, logging.WARNING, "metrics-not-shared", reason=error.strerror)
        return None
    return Path(closing.enter_context(directory))
