"""Log lines: one event per fact, named fields, nothing secret.

Owns the shape of a line (JSON for machines, a short line for a terminal), the access log without query strings,
and the traceback form that holds no values.
Never decides what is worth logging, and never receives a token, code, cookie or profile value: callers pass
names, slugs, counts and references only.
"""

import json
import logging
import sys
import traceback
from typing import Any, Final, TextIO

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from pythonjsonlogger.json import JsonFormatter

_FIELDS: Final = "event_fields"


def log_event(
    logger: logging.Logger, level: int, event: str, *, fault: BaseException | None = None, **fields: object
) -> None:
    """Write one event with its fields; fields that are None are left out.

    A `fault` is written as the files, lines and functions that it passed through and the names of its classes.
    Its text is left out on purpose: MSAL's exceptions quote state, nonces and claims, and redis' quote commands.
    """
    if not logger.isEnabledFor(level):
        return
    members = {name: value for name, value in fields.items() if value not in (None, "")}
    if fault is not None:
        members["traceback"] = _silent_traceback(fault)
    logger.log(level, event, extra={_FIELDS: members})


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
        fields: dict[str, Any] = getattr(record, _FIELDS, {})
        members = " ".join(f"{name}={json.dumps(value, default=str)}" for name, value in fields.items())
        return f"{record.levelname.lower():8}{record.name}  {record.getMessage()}  {members}".rstrip()


class _Json(JsonFormatter):
    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data.pop(_FIELDS, None)
        log_data |= getattr(record, _FIELDS, {})

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's own name and type
        # What outer libraries log: aiohttp's parser errors quote the request, cookie and all.
        return "\n".join(_silent_traceback(ei[1])) if ei[1] else ""


def configure_logs(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line to `stream` (stderr): JSON unless it is a terminal.

    The loggers of outer libraries stay at WARNING whatever the level: at DEBUG they print bodies and headers.
    """
    target = stream or sys.stderr
    out = logging.StreamHandler(target)
    if target.isatty():
        out.setFormatter(Lines())
    else:
        out.setFormatter(
            _Json("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields={"message": "event"})
        )
    logging.basicConfig(handlers=[out], level=logging.WARNING, force=True)
    for ours in ("gateway", "resource_api", "servicekit"):
        logging.getLogger(ours).setLevel(level)


class AccessLog(AbstractAccessLogger):
    """One line per request: method, route template, status, milliseconds; never the query, never the raw path."""

    @property
    def enabled(self) -> bool:
        """Skip the work when nobody listens."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; `time` is in seconds."""
        # What the parser refused was never routed, and aiohttp's own way of asking for its route fails.
        match: web.UrlMappingMatchInfo | None = getattr(request, "_match_info", None)
        resource = None if match is None else match.route.resource  # a match without variables is empty
        log_event(
            self.logger,
            logging.INFO,
            "request",
            method=request.method,
            route=resource.canonical if resource else "unknown",
            status=response.status,
            milliseconds=round(time * 1000),
        )
