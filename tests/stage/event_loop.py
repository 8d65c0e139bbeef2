"""Nothing of ours holds up the event loop: in every test, a blocking call below our code is an error (R26, M7).

A call counts where a loop runs in the same thread and code of the three packages is on the stack: what libraries do on
our behalf is ours as well. Threads may block. What may block on the loop is listed here, each with its reason.
"""

import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

import pytest
from blockbuster import BlockBuster, BlockBusterFunction, BlockingError

from tests.stage.sources import ROOT

__all__ = ["BlockingError"]

OURS: Final = ("gateway", "resource_api", "servicekit")

# Beside what blockbuster watches by itself: names are resolved, and certificates read, in C.
WATCHED: Final = ("socket.getaddrinfo", "socket.gethostbyname", "ssl.create_default_context")

MAY_BLOCK: Final = (
    # Before anything is served: a gateway or an API is made once, from files.
    ("gateway/app.py", "create_app"),
    ("resource_api/app.py", "create_app"),
    ("servicekit/settings_faults.py", "load_settings"),
    # A `stat`, some microseconds: the client's files lie in memory, and are read again only where they are edited.
    ("gateway/edge/spa_files.py", "current"),
    # The parent of workers answers nobody: it starts a process, and takes leave of one that has closed its pipe.
    ("gateway/operation/forks.py", "__init__"),
    ("gateway/operation/forks.py", "close"),
    # A worker hears its parent: a message that has come, and what follows it at once.
    ("gateway/operation/worker.py", "_hear"),
    # The description that tests hold answers against; the gateway draws its own in a thread.
    ("stage/contract.py", "document_of"),
    # Tests' own clients of Redis: the gateway's say that they want no introduction, and never come here.
    ("redis/driver_info.py", "resolve_driver_info"),
)


@functools.cache
def _ours(file: str) -> bool:
    return file.startswith(tuple(f"{ROOT / package}/" for package in OURS))


def _without_ours(may_block: Callable[..., bool]) -> Callable[..., bool]:
    """Let through what no code of ours calls, as blockbuster does after comparing every frame with every exception."""

    def judged(*arguments: object, **named: object) -> bool:
        if may_block(*arguments, **named):
            return True
        frame: FrameType | None = sys._getframe(1)
        while frame:
            if _ours(frame.f_code.co_filename):
                return False
            frame = frame.f_back
        return True

    return judged


@pytest.fixture(scope="session", autouse=True)
def _nothing_blocks() -> Iterator[None]:
    """Watch the whole run."""
    watch = BlockBuster(OURS)
    for name in WATCHED:
        watch.functions[name] = BlockBusterFunction(None, name, scanned_modules=OURS)
    for function in watch.functions.values():
        function.can_block_predicate = _without_ours(function.can_block_predicate)
        for file, name in MAY_BLOCK:
            function.can_block_in(file, name)
    watch.activate()
    yield
    watch.deactivate()
