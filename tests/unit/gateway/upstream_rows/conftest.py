"""What the tests of rows share."""

from pathlib import Path

import pytest

from tests.unit.gateway.upstream_rows.rows_of_tests import Told, teller


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """Return what tells which sentences a file of rows brings."""
    return teller(tmp_path)
