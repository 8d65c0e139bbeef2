"""Log lines with their fields, beside what pytest shows of a failure."""

import logging
import sys

import pytest

from servicekit.logs import Lines


class _Printing(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(self.format(record) + "\n")


@pytest.fixture(scope="session", autouse=True)
def _log_lines_beside_failures() -> None:
    """Show log lines with their fields beside a failure."""
    handler = _Printing()
    handler.setFormatter(Lines())
    for name in ("gateway", "resource_api", "servicekit"):
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel("DEBUG")
