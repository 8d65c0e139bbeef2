"""Nobody can fill Redis or the thread pool by beginning flows."""

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.edge.client_address import ClientAddresses
from gateway.edge.limits import FlowLimit
from gateway.errors import TooManyRequests
from tests.stage.tenant import MovableClock


def limit() -> tuple[FlowLimit, MovableClock]:
    """A limit of two flows, and its clock."""
    clock = MovableClock(1000.0)
    return FlowLimit(2, ClientAddresses(()), now=clock), clock


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
