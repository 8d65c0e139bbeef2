"""An authority for tests that need one."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.servicekit.authority import Authority, running_authority
from tests.unit.servicekit.believer import Believer


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    """Run an authority with one key, on a free port, behind the address map."""
    async with running_authority() as authority:
        yield authority


@pytest.fixture
def believer() -> Believer:
    """Return a verifier with one key."""
    return Believer()
