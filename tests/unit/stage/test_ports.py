"""The ports that tests are given: a share for each of pytest's workers, and none twice."""

import itertools

import pytest

from devstack.ports import Ports, in_use
from tests.stage.ports import RANGE, free_port, free_ports, share


def shares(workers: int) -> list[range]:
    count = {"PYTEST_XDIST_WORKER_COUNT": str(workers)}
    return [share(count | {"PYTEST_XDIST_WORKER": f"gw{number}"}) for number in range(workers)]


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 8])
def test_no_two_workers_share_a_port(workers: int) -> None:
    for one, other in itertools.combinations(shares(workers), 2):
        assert not set(one) & set(other)
    assert all(set(one) <= set(RANGE) and len(one) > 1_000 for one in shares(workers))


def test_a_run_without_workers_has_every_port() -> None:
    assert share({}) == RANGE


def test_a_port_is_free_and_not_given_twice() -> None:
    ports = [free_port() for _ in range(50)]

    assert len(set(ports)) == len(ports)
    assert not any(in_use(port) for port in ports)


def test_the_parts_of_the_product_get_one_each() -> None:
    ports = free_ports()

    assert len({getattr(ports, name) for name in Ports.__slots__}) == len(Ports.__slots__)
