"""Log lines: one event per fact, named fields, nothing secret.

Owns the shape of a line (JSON for machines, a short line for a terminal), the traceback form that holds no values, and
where the lines go: all that a process says to `stderr` takes the way of `log_writer.py`, on which nobody waits.
Never decides what is worth logging, and never receives a token, code, cookie or profile value: callers pass
names, slugs, counts and references only.
"""

import atexit
import functools
import io
import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, TextIO

from pythonjsonlogger.json import JsonEncoder, JsonFormatter

from servicekit.log_strangers import FIELDS, OF_A_KIND, STRANGER
from servicekit.log_times import time_text
from servicekit.log_writer import LONGEST_LINE, LogQueue

# Of a line that would be longer than a pipe takes in one piece: characters of a text, and places of a traceback.
_LONGEST_TEXT: Final = 400
_MOST_PLACES: Final = 16

# For values that JSON does not know: times, names of kinds.
_ENCODE: Final = JsonEncoder().encode

_log = logging.getLogger(__name__)


def log_event(
    logger: logging.Logger,
    level: int,
    event: str,
    *,
    fault: BaseException | None = None,
    stranger: str | None = None,
    **fields: object,
) -> None:
    """Write one event with its fields; fields that are None are left out.

    `stranger` is the network of a stranger's request that the line is about: of many such lines some are counted.
    Where it happens on behalf of a request, the line has that request's `reference`.
    A `fault` is written as the files, lines and functions that it passed through and the names of its classes.
    Its text is left out on purpose: MSAL's exceptions quote state, nonces and claims, and redis' quote commands.
    """
    if not logger.isEnabledFor(level):
        return
    members = {name: value for name, value in (_on_behalf() | fields).items() if value not in (None, "")}
    if fault is not None:
        members["traceback"] = _silent_traceback(fault)
    # What is folded by its kind is: where it was said, and what was raised, stand in a record.
    queue = json_queue(logger) if level < logging.WARNING else None
    if queue is not None:
        _write(queue, logger.name, level, event, members=members, stranger=stranger)
        return
    logger.log(level, event, extra={FIELDS: members, STRANGER: stranger})


def _write(
    queue: LogQueue, name: str, level: int, event: str, *, members: dict[str, Any], stranger: str | None
) -> None:
    """Hand an event's line to the queue without a record, as `JsonLines` writes it."""
    level_name = logging.getLevelName(level)
    if stranger is not None:
        kind = (name, event, *(members.get(each) for each in OF_A_KIND))
        like = {"name": name, "levelno": level, "levelname": level_name, "msg": event, FIELDS: members}
        record = functools.partial(logging.makeLogRecord, like)
        reference, status = members.get("reference"), members.get("status", 0)
        if queue.counts_stranger(stranger, status, kind, reference, record):
            return
    said = {"asctime": time_text(time.time()), "levelname": level_name, "name": name, "event": event}
    try:
        line = _encoded(said | members)
    except Exception:  # noqa: BLE001 - as logging has it: what makes no line hurts nobody but itself
        queue.count_unreadable()
        return
    queue.write(f"{line}\n".encode(), level)


def _encoded(said: dict[str, Any]) -> str:
    """Return a line without its end, shortened where it would not go through a pipe in one piece."""
    line = _ENCODE(said)
    if len(line) < LONGEST_LINE:  # with its end; all of it is ASCII
        return line
    return _ENCODE({name: _shortened(value) for name, value in said.items()})


def _on_behalf() -> dict[str, Any]:
    # Who has not imported it answers no requests, and does without the server that it is a part of.
    reference = sys.modules.get("servicekit.reference")
    current = reference.current_request_id() if reference else None
    return {"reference": current.reference} if current else {}


def _fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of an event; of what an outer library says, whom it says it about."""
    fields: dict[str, Any] | None = getattr(record, FIELDS, None)
    return _on_behalf() if fields is None else fields


def _silent_traceback(fault: BaseException) -> list[str]:
    lines: list[str] = []
    cause: BaseException | None = fault
    while cause is not None:
        lines.append(type(cause).__qualname__)
        lines += [
            f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or cause.__context__
    return lines


class Lines(logging.Formatter):
    """One short line per event, for a person at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return level, logger, event and fields."""
        members = " ".join(
            f"{name}={json.dumps(value, default=str)}" for name, value in _fields_of(record).items()
        )
        return f"{record.levelname.lower():8}{record.name}  {record.getMessage()}  {members}".rstrip()


class JsonLines(JsonFormatter):
    """One line of JSON per event, for machines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields={"message": "event"})

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Put the fields of an event beside what every line has."""
        super().add_fields(log_data, record, message_dict)
        log_data.pop(FIELDS, None)
        log_data.pop(STRANGER, None)
        log_data |= _fields_of(record)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - logging's
        """Return when it was, in UTC and as of RFC 3339."""
        return time_text(record.created)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name and type
        """Return what an outer library met, without its text: aiohttp's parser quotes the request, cookie and all."""
        return "\n".join(_silent_traceback(ei[1])) if ei[1] else ""

    def serialize_log_record(self, log_data: dict[str, Any]) -> str:
        """Return the line."""
        return _encoded(log_data)


def _shortened(value: Any) -> Any:
    """Return the beginning of a long text, and both ends of a long list."""
    if isinstance(value, list) and len(value) > _MOST_PLACES:
        half = _MOST_PLACES // 2
        return [_shortened(part) for part in (*value[:half], "…", *value[-half:])]
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_LONGEST_TEXT]}…"
    return value


def configure_logs(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line to `stream` (stderr): JSON unless it is a terminal.

    The loggers of outer libraries stay at WARNING whatever the level: at DEBUG they print bodies and headers.
    It may be called again, to change `level`.
    A stream without a descriptor is memory, and is written to at once.
    """
    target = stream or sys.stderr
    formatter = Lines() if target and target.isatty() else JsonLines()
    logging.basicConfig(handlers=[_handler(target, formatter)], level=logging.WARNING, force=True)
    for ours in ("gateway", "resource_api", "servicekit"):
        logging.getLogger(ours).setLevel(level)


def _handler(stream: TextIO | None, formatter: logging.Formatter) -> logging.Handler:
    if stream is None:  # closed by whoever started us; its descriptor may be a person's connection by now
        return logging.NullHandler()
    try:
        descriptor = stream.fileno()
    except io.UnsupportedOperation:
        out = logging.StreamHandler(stream)
        out.setFormatter(formatter)
        return out
    queues = [queue for queue in _queues() if queue.descriptor == descriptor]
    if queues:
        return queues[0]
    queue = LogQueue(descriptor, formatter)
    atexit.register(queue.end)
    _hear_the_interpreter()
    return queue


def _queues() -> list[LogQueue]:
    return [handler for handler in logging.getLogger().handlers if isinstance(handler, LogQueue)]


def json_queue(logger: logging.Logger) -> LogQueue | None:
    """Return the queue to which all lines of a logger go as JSON; None where they go elsewhere, or to others as well.

    Where there is one, a line that is ready may be handed to it without a record. Not looked at: filters, of which we
    have none.
    """
    found: LogQueue | None = None
    place: logging.Logger | None = logger
    while place is not None:
        for handler in place.handlers:
            if found is not None or not isinstance(handler, LogQueue):
                return None
            found = handler
        place = place.parent if place.propagate else None
    return found if found is not None and isinstance(found.formatter, JsonLines) else None


def dropped_lines() -> Mapping[str, int]:
    """Return how many lines were never written because nobody took them, by level in small letters."""
    return next((queue.dropped for queue in _queues()), {})


def _hear_the_interpreter() -> None:
    """Log what the interpreter would write to `stderr` itself: it would wait there, and quote values."""

    def end(_kind: type[BaseException], fault: BaseException, _trace: TracebackType | None) -> None:
        if not isinstance(fault, KeyboardInterrupt):
            log_event(_log, logging.CRITICAL, "process-failed", fault=fault)

    def thread_end(ended: threading.ExceptHookArgs) -> None:
        log_event(_log, logging.ERROR, "thread-failed", fault=ended.exc_value)

    def unraisable(met: "sys.UnraisableHookArgs") -> None:
        log_event(_log, logging.ERROR, "unraisable", fault=met.exc_value)

    logging.captureWarnings(capture=True)
    sys.excepthook, threading.excepthook, sys.unraisablehook = end, thread_end, unraisable
