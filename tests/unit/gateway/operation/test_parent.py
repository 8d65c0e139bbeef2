"""The parent of several workers: what it costs, and when it gives up."""

import os
import subprocess
import sys

from gateway.operation.workers import Workers
from servicekit.http.orders import Orders
from tests.stage.sources import ROOT


def test_the_parent_of_workers_imports_no_server_no_library_and_no_settings() -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, gateway.__main__; print(*{name.partition('.')[0] for name in sys.modules})",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    libraries = set(told.stdout.split()) - set(sys.stdlib_module_names)

    assert {name for name in libraries if not name.startswith("_")} <= {
        "gateway",
        "servicekit",
        "pythonjsonlogger",
    }


async def test_L7_a_parent_whose_fork_server_never_comes_up_gives_up() -> None:
    orders = Orders()
    workers = Workers(
        2,
        [sys.executable, "-c", "raise SystemExit(3)"],
        os.environ,
        [],
        orders,
        on_settings=lambda _: None,
        on_refusal=lambda _: None,
        patience=0,
    )

    assert await workers.run() == 1
    assert orders.hurried.is_set()
