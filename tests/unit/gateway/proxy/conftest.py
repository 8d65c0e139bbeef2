"""What keeps requests that wait, for the tests of this room."""

import pytest

from gateway.proxy.parked_requests import ParkedRequests
from gateway.store.vault import Vault
from tests.stage.tenant import MovableClock


@pytest.fixture
def parked(vault: Vault, clock: MovableClock) -> ParkedRequests:
    """Give what keeps them."""
    return ParkedRequests(vault, now=clock)
