"""The loop that a service runs on: libuv's, and asyncio's own where there is none of it."""

import subprocess
import sys

import pytest

from tests.stage.sources import ROOT

TELLING = """
import asyncio
from servicekit.event_loop import run
async def main():
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]
print(run(main()))
"""


@pytest.mark.parametrize(
    "first, loop",
    [("", "uvloop"), ("import sys; sys.modules['uvloop'] = None", "asyncio")],
    ids=["with", "without"],
)
def test_a_service_runs_on_libuv_s_loop_and_without_it_on_asyncio_s(first: str, loop: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", first + TELLING], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == loop
