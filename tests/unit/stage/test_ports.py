"""The ports that tests are given: a share for each of pytest's workers, and none twice."""

import itertools
import subprocess
import sys

import pytest

from devstack.ports import Ports, in_use
from tests.stage.ports import RANGE, free_port, free_ports, share, taken
from tests.stage.sources import ROOT


def shares(workers: int) -> list[range]:
    count = {"PYTEST_XDIST_WORKER_COUNT": str(workers)}
    return [share(count | {"PYTEST_XDIST_WORKER": f"gw{number}"}) for number in range(workers)]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8])
def test_no_two_workers_share_a_port(workers: int) -> None:
    for one, other in itertools.combinations(shares(workers), 2):
        assert not set(one) & set(other)
    assert all(set(one) <= set(RANGE) and len(one) > 1_000 for one in shares(workers))


def test_a_worker_that_follows_one_that_crashed_has_ports() -> None:
    first, second = shares(2)
    followers = [
        share({"PYTEST_XDIST_WORKER_COUNT": "2", "PYTEST_XDIST_WORKER": worker}) for worker in ("gw2", "gw3")
    ]

    assert followers == [first, second]


def test_a_run_without_workers_has_every_port() -> None:
    assert share({}) == RANGE


def test_a_port_is_free_and_not_given_twice() -> None:
    ports = [free_port() for _ in range(50)]

    assert len(set(ports)) == len(ports)
    assert not any(in_use(port) for port in ports)


def test_the_parts_of_the_product_get_one_each() -> None:
    ports = free_ports()

    assert len({getattr(ports, name) for name in Ports.__slots__}) == len(Ports.__slots__)


def test_what_one_process_was_given_another_one_is_not() -> None:
    port = free_port()
    asking = f"from tests.stage.ports import taken; print(taken({port}))"

    elsewhere = subprocess.run(
        [sys.executable, "-c", asking], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert elsewhere.stdout == "False\n"
    assert taken(port)
