"""How many descriptors a process may have, and how many of them are for connections (L12)."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from servicekit.http.descriptors import (
    MOST_CONNECTIONS,
    OPERATORS,
    RESERVED,
    connections_within,
    operators_connections_within,
)


@pytest.mark.parametrize("soft, hard, reached", [(256, 700, 700), (300, 300, 300)])
def test_L12_the_soft_limit_is_raised_to_the_hard_one(soft: int, hard: int, reached: int) -> None:
    script = """if True:
        import resource
        from servicekit.http.descriptors import raise_descriptor_limit
        print(raise_descriptor_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    ended = subprocess.run(
        ["sh", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh", sys.executable, "-c", script],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        check=True,
    )

    assert [int(part) for part in ended.stdout.split()] == [reached, reached, hard]


@pytest.mark.parametrize("descriptors", [32, 64, 256, 1_024, 20_000, 65_536, resource.RLIM_INFINITY])
def test_L12_connections_leave_descriptors_for_redis_the_authority_and_files(descriptors: int) -> None:
    most = connections_within(max(descriptors, 0) or 1_000_000)

    assert 0 < most <= MOST_CONNECTIONS
    if descriptors > 0:
        operators = operators_connections_within(descriptors)
        assert 0 < operators <= OPERATORS
        assert descriptors - most - operators >= min(RESERVED, descriptors // 2) - OPERATORS
        assert descriptors - most - operators >= descriptors // 4 or descriptors > RESERVED
