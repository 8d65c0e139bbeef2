"""What every test may ask for: the whole product as processes, and a real Valkey for tests of one module.

Owns nothing of the product and patches nothing: `stack` is what `python3 dev.py` starts, on free ports.
The browser's fixtures are in tests/stage/browser.py.
"""

import os
import secrets
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devstack.embedded_valkey import EmbeddedValkey
from devstack.keeper import Keeper
from devstack.processes import Child
from devstack.stack import Stack, running_stack
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port, free_ports

pytest_plugins = [
    "tests.stage.bounded_tests",
    "tests.stage.browser",
    "tests.stage.drawn_examples",
    "tests.stage.event_loop",
    "tests.stage.garbage",
    "tests.stage.network",
    "tests.stage.npm_packages",
    "tests.stage.numbered_items",
    "tests.stage.workers",
    "tests.stage.log_lines",
    "tests.stage.trails",
    "tests.stage.world",
    "tests.stage.notes_world",
]

_LOG_LINES = 40


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the parts' last log lines beside a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        for name in stack.parts:
            report.sections.append(
                (f"log of the {name}", "\n".join(stack.log(name).splitlines()[-_LOG_LINES:]))
            )
    return report


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the product once for the whole test run; tests take `stack`, which is this one in its first state."""
    with running_stack(tmp_path_factory.mktemp("stack"), ports=free_ports()) as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Stack:
    """Give the product, all parts running, the tenant as configured and the session store empty.

    From an async test, call what blocks in a thread: `await asyncio.to_thread(stack.restart, "gateway")`.
    """
    for child in shared_stack.ended():
        shared_stack.start(child.name)
    reset = urllib.request.Request(f"{shared_stack.tenant_url}/admin/reset", method="POST")  # noqa: S310 -- our own URL
    with urllib.request.urlopen(reset, timeout=PATIENCE):  # noqa: S310 -- the same
        pass
    assert shared_stack.valkey is not None
    shared_stack.valkey.command("FLUSHALL")
    return shared_stack


@pytest.fixture(scope="session")
def valkey_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """Run a real Valkey for tests that need a store and no other part."""
    server = EmbeddedValkey(free_port(), secrets.token_urlsafe(16))
    with closing(Keeper()) as keeper:
        child = Child(server.program(os.environ, tmp_path_factory.mktemp("valkey")), keeper)
        child.start()
        try:
            while not server.ready():
                assert child.running, child.log()
                time.sleep(0.02)
            yield server
        finally:
            child.stop(grace=5)


@pytest.fixture
def valkey(valkey_server: EmbeddedValkey) -> str:
    """Give the URL of a real Valkey that is empty."""
    valkey_server.command("FLUSHALL")
    return valkey_server.url


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Give the working copy's root."""
    return Path(__file__).resolve().parent.parent
