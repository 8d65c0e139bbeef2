"""A flow for tests that begin and complete one."""

import pytest

from gateway.session.sessions import SessionStore
from tests.stage.tenant import MovableClock
from tests.unit.gateway.flows.scene import Scene


@pytest.fixture
def scene(sessions: SessionStore, clock: MovableClock) -> Scene:
    """Give the two ends of a flow; the authority does what the test says."""
    return Scene(sessions, clock)
