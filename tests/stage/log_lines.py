"""Log lines with their fields, beside what pytest shows of a failure.

They are kept as they are while a test runs, and made into text only where it fails: there are hundreds of thousands.
"""

import logging
from collections.abc import Generator
from typing import Final

import pytest

from servicekit.logs import Lines


class _Kept(logging.Handler):
    """Keeps what was logged since the test began."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Lines())
        self._kept: list[logging.LogRecord | str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # With an exception go its frames, and whatever they hold.
        self._kept.append(self.format(record) if record.exc_info else record)

    def text(self) -> str:
        """Return the lines."""
        return "\n".join(one if isinstance(one, str) else self.format(one) for one in self._kept)

    def forget(self) -> None:
        """Begin anew."""
        self._kept.clear()


_KEPT: Final = _Kept()


@pytest.fixture(scope="session", autouse=True)
def _log_lines_are_kept() -> None:
    """Keep every line of ours, whatever its level."""
    for name in ("gateway", "resource_api", "servicekit"):
        logging.getLogger(name).addHandler(_KEPT)
        logging.getLogger(name).setLevel("DEBUG")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the lines beside a failure, those of its set-up as well, and forget them when the test is over."""
    report = yield
    if report.failed and (text := _KEPT.text()):
        report.sections.append(("log lines", text))
    if call.when == "teardown":
        _KEPT.forget()
    return report
