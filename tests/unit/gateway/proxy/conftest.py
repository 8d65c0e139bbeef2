"""What keeps requests that wait, and sockets to an upstream, for the tests of this room."""

from collections.abc import AsyncIterator

import pytest

from gateway.proxy.parked_requests import ParkedRequests
from gateway.session.sessions import SessionStore
from gateway.store.vault import Vault
from tests.stage.tenant import MovableClock
from tests.unit.gateway.proxy.socket_stage import Stage, stage


@pytest.fixture
def parked(vault: Vault, clock: MovableClock) -> ParkedRequests:
    """Give what keeps them."""
    return ParkedRequests(vault, now=clock)


@pytest.fixture
async def chat(vault: Vault, sessions: SessionStore, clock: MovableClock) -> AsyncIterator[Stage]:
    """Give sockets to an upstream."""
    async with stage(vault, sessions, clock) as chat:
        yield chat
