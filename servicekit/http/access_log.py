"""The access log: one line for each request that was answered.

Owns what such a line names: never the query, never the raw path, and no word that the caller made up.
Never decides where lines go.
"""

import json
import logging
import time
from functools import lru_cache, partial
from typing import Any, Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger

from servicekit.callers import unknown_caller
from servicekit.log_strangers import FIELDS
from servicekit.log_times import time_text
from servicekit.logs import json_queue, log_event
from servicekit.problems import PROBLEM
from servicekit.reference import RequestId, request_id_of

# A parser in Python takes any word, of any length, for a method.
_ANOTHER: Final = "another"
_EVENT: Final = "request"
_REDIRECT: Final = 300
# More than there are methods of routes.
_MOST_FORMS: Final = 1_024
# What is the same in all lines of a route must leave room for the rest.
_LONGEST_FORM: Final = 2_048


class AccessLog(AbstractAccessLogger):
    """One line per request: method, route template, status, milliseconds, and the reference that people quote.

    `request_id` is the whole of what the reference is the beginning of, as Graph and the authority were told it.
    `problem` is the slug of what the request met, so that a reference leads to it from this line alone.
    """

    @property
    def enabled(self) -> bool:
        """Skip the work when nobody listens."""
        return self.logger.isEnabledFor(logging.INFO)

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the line; `time` is in seconds."""
        if not self.logger.isEnabledFor(logging.INFO):
            return
        # What the parser refused was never routed, and aiohttp's own way of asking for its route fails.
        match: web.UrlMappingMatchInfo | None = getattr(request, "_match_info", None)
        resource = None if match is None else match.route.resource  # a match without variables is empty
        method = request.method if request.method in hdrs.METH_ALL else _ANOTHER
        form = line_form(self.logger, method, "unknown" if resource is None else resource.canonical)
        status = response.status
        # Who was answered well has met none.
        problem: str | None = None if status < _REDIRECT else request.get(PROBLEM)
        stranger = unknown_caller(request, status)
        form.write(status, round(time * 1000), problem, request_id_of(request), stranger)


class LineForm:
    """The lines of one method and route: what is the same in all of them is put together once.

    Where the log is a queue of JSON, the rest is put in between: numbers, a time, a reference and an id, which JSON
    writes as they are, and a slug. Everywhere else, as at a terminal, a line is an event like all others.
    """

    def __init__(self, logger: logging.Logger, method: str, route: str) -> None:
        self._logger = logger
        self._method = method
        self._route = route
        head = {"levelname": logging.getLevelName(logging.INFO), "name": logger.name, "event": _EVENT}
        self._head = f'", {json.dumps(head)[1:-1]}, "reference": "'
        self._middle = f'", {json.dumps({"method": method, "route": route})[1:-1]}, "status": '
        self._is_ready = len(self._head) + len(self._middle) < _LONGEST_FORM

    def write(
        self, status: int, milliseconds: int, problem: str | None, request_id: RequestId, stranger: str | None
    ) -> None:
        """Write the line of a request that was answered; `stranger` is its network where nobody knows who asked."""
        queue = json_queue(self._logger) if self._is_ready else None
        if queue is None:
            fields = self._fields(status, milliseconds, problem, request_id)
            log_event(self._logger, logging.INFO, _EVENT, stranger=stranger, **fields)
            return
        if stranger is not None:
            kind = (self._logger.name, _EVENT, self._method, self._route, status, problem, None)
            record = partial(self._record, status, milliseconds, problem, request_id)
            if queue.counts_stranger(stranger, status, kind, request_id.reference, record):
                return
        queue.write(
            f'{{"asctime": "{time_text(time.time())}{self._head}{request_id.reference}{self._middle}{status}'
            f', "milliseconds": {milliseconds}{_problem_member(problem) if problem else ""}'
            f', "request_id": "{request_id.text}"}}\n'.encode(),
            logging.INFO,
        )

    def _fields(
        self, status: int, milliseconds: int, problem: str | None, request_id: RequestId
    ) -> dict[str, Any]:
        return {
            "reference": request_id.reference,
            "method": self._method,
            "route": self._route,
            "status": status,
            "milliseconds": milliseconds,
            **({"problem": problem} if problem else {}),
            "request_id": request_id.text,
        }

    def _record(
        self, status: int, milliseconds: int, problem: str | None, request_id: RequestId
    ) -> logging.LogRecord:
        """Return the record of a line, for whoever counts the ones like it."""
        level, fields = logging.INFO, self._fields(status, milliseconds, problem, request_id)
        same = {"name": self._logger.name, "levelno": level, "levelname": logging.getLevelName(level)}
        return logging.makeLogRecord({**same, "msg": _EVENT, FIELDS: fields})


@lru_cache(maxsize=_MOST_FORMS)
def line_form(logger: logging.Logger, method: str, route: str) -> LineForm:
    """Return what writes the lines of a method and a route's template."""
    return LineForm(logger, method, route)


@lru_cache(maxsize=_MOST_FORMS)
def _problem_member(slug: str) -> str:
    return f', "problem": {json.dumps(slug)}'
