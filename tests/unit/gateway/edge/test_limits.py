"""Nobody can fill Redis or the thread pool by beginning flows."""

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.edge.limits import FlowLimit
from gateway.errors import TooManyRequests
from tests.stage.tenant import MovableClock


def limit(proxies: tuple[str, ...] = ()) -> tuple[FlowLimit, MovableClock]:
    """A limit of two flows, and its clock."""
    clock = MovableClock(1000.0)
    return FlowLimit(2, proxies, now=clock), clock


def test_S51_the_bucket_refills() -> None:
    flows, clock = limit()
    request = make_mocked_request("GET", "/auth/sign-in")
    flows.take(request)
    flows.take(request)
    with pytest.raises(TooManyRequests) as refused:
        flows.take(request)
    assert refused.value.headers["Retry-After"] == "30"

    clock.now += 30

    flows.take(request)
    with pytest.raises(TooManyRequests):
        flows.take(request)


@pytest.mark.parametrize(
    "peer, forwarded, proxies, expected",
    [
        ("198.51.100.7", "203.0.113.9", (), "198.51.100.7"),
        ("10.0.0.2", "203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "6.6.6.6, 203.0.113.9, 10.0.0.3", ("10.0.0.0/8",), "203.0.113.9"),
        ("198.51.100.7", "10.0.0.9", ("10.0.0.0/8",), "198.51.100.7"),
        ("10.0.0.2", "not an address", ("10.0.0.0/8",), "10.0.0.2"),
        ("10.0.0.2", "[not an address]:1", ("10.0.0.0/8",), "10.0.0.2"),
        ("2001:db8:1:2:3::4", "", (), "2001:db8:1:2::/64"),
        # With a port, as Azure's gateways write it.
        ("10.0.0.2", "203.0.113.9:51234", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "203.0.113.9:51234, 10.0.0.3:443", ("10.0.0.0/8",), "203.0.113.9"),
        ("10.0.0.2", "[2001:db8:1:2:3::4]:51234", ("10.0.0.0/8",), "2001:db8:1:2::/64"),
        ("10.0.0.2", "[2001:db8:1:2:3::4]", ("10.0.0.0/8",), "2001:db8:1:2::/64"),
        # IPv4 through a socket of IPv6: people of their own, and not one household.
        ("::ffff:198.51.100.7", "", (), "198.51.100.7"),
        ("::ffff:10.0.0.2", "::ffff:203.0.113.9", ("10.0.0.0/8",), "203.0.113.9"),
    ],
)
def test_S48_a_caller_s_address_is_what_a_trusted_proxy_says_and_nobody_else(
    peer: str, forwarded: str, proxies: tuple[str, ...], expected: str
) -> None:
    flows, _ = limit(proxies)
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote=peer)

    assert flows.address(request) == expected
