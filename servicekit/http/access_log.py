"""The access log: one line for each request that was answered.

Owns what such a line names: never the query, never the raw path, and no word that the caller made up.
Never decides where lines go.
"""

import logging
from typing import Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractAccessLogger

from servicekit.callers import unknown_caller
from servicekit.logs import log_event
from servicekit.problems import PROBLEM
from servicekit.reference import request_id_of

# A parser in Python takes any word, of any length, for a method.
_ANOTHER: Final = "another"


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
        # What the parser refused was never routed, and aiohttp's own way of asking for its route fails.
        match: web.UrlMappingMatchInfo | None = getattr(request, "_match_info", None)
        request_id = request_id_of(request)
        resource = None if match is None else match.route.resource  # a match without variables is empty
        log_event(
            self.logger,
            logging.INFO,
            "request",
            stranger=unknown_caller(request, response.status),
            method=request.method if request.method in hdrs.METH_ALL else _ANOTHER,
            route=resource.canonical if resource else "unknown",
            status=response.status,
            milliseconds=round(time * 1000),
            problem=request.get(PROBLEM),
            reference=request_id.reference,
            request_id=request_id.text,
        )
