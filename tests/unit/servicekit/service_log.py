"""The log as a service writes it, for a test to read."""

import asyncio
import io
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from servicekit.log_writer import LogQueue
from servicekit.logs import JsonLines, configure_logs

_OURS = ("gateway", "resource_api", "servicekit")


class ServiceLog(io.StringIO):
    """What was written, and when the last request was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answered = asyncio.Event()

    def write(self, text: str) -> int:
        if '"event": "request"' in text:
            self.answered.set()
        return super().write(text)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def alarms(self) -> list[str]:
        """Return the events that an operator would look at."""
        return [line["event"] for line in self.lines() if line["levelname"] not in {"DEBUG", "INFO"}]


@contextmanager
def service_log(level: str = "INFO") -> Iterator[ServiceLog]:
    """Send the log to a string, as a service sends it to its console, and put logging back as it was."""
    root = logging.getLogger()
    handlers, was = root.handlers[:], root.level
    ours = {name: logging.getLogger(name).level for name in _OURS}
    log = ServiceLog()
    configure_logs(level=level, stream=log)
    try:
        yield log
    finally:
        root.handlers[:] = handlers
        root.setLevel(was)
        for name, before in ours.items():
            logging.getLogger(name).setLevel(before)


@contextmanager
def queued(
    *others: logging.Handler, **options: Any
) -> Iterator[tuple[logging.Logger, Callable[[], list[str]]]]:
    """Give a logger whose lines go to a file by a queue, and what ends it and returns the lines."""
    with tempfile.TemporaryFile("w+b") as file:
        queue = LogQueue(file.fileno(), JsonLines(), **options)
        logger = logging.Logger("gateway.access", logging.INFO)  # noqa: LOG001 - known to nobody else
        for handler in (queue, *others):
            logger.addHandler(handler)

        def ended() -> list[str]:
            queue.end()
            file.seek(0)
            return file.read().decode().splitlines()

        try:
            yield logger, ended
        finally:
            queue.end(seconds=0)
