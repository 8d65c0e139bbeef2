"""Where a trail goes without a setting (A6): to standard output, and to nobody's connection where there is none."""

import json
import subprocess
import sys
from typing import Final

from tests.stage.sources import ROOT

_RECORDS_ONE: Final = """
import socket
from servicekit.audit.fact import Fact
from servicekit.audit.opening import open_trail
with socket.socket() as taking_the_first_free_descriptor, open_trail(None, (), service="of the test") as trail:
    trail.record(Fact("look", "sys_monitor_enabled"), {})
    descriptor = taking_the_first_free_descriptor.fileno()
print(descriptor) if descriptor != 1 else None
"""


def test_A6_without_a_file_it_is_standard_output() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _RECORDS_ONE], cwd=ROOT, capture_output=True, text=True, check=True
    )

    *lines, _ = ended.stdout.splitlines()
    assert [json.loads(line)["fact"] for line in lines] == ["start", "look", "stop"]


def test_A6_where_that_is_closed_nothing_is_written_to_what_has_its_number_by_then() -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, _RECORDS_ONE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == ""
    assert "audit-not-written" in ended.stderr
