"""What the other side calls our request: the ids by which its own log and its support find it.

Owns which header fields and members are such ids, the line that tells those of an upstream's answer, and that nothing
else gets into the log by them: a short form, without the signs of an address, a token or a sentence.
Never reads a body, and never decides what an answer means.

Sources: Microsoft Graph, "Error responses" (`request-id`, `client-request-id`); Microsoft identity platform, "Handle
errors" (`trace_id`, `correlation_id`, `timestamp`; `x-ms-request-id` is the trace id). The others are what Okta, Auth0,
Amazon Cognito, proxies and Cloudflare send.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from servicekit.logs import log_event

_FIELDS: Final = (
    *("x-ms-request-id", "request-id", "client-request-id", "x-request-id", "x-correlation-id"),
    *("x-okta-request-id", "x-auth0-requestid", "x-amzn-requestid", "cf-ray"),
)
_MEMBERS: Final = ("trace_id", "correlation_id", "timestamp")
_ID: Final = re.compile(r"[A-Za-z0-9._:=-]{1,64}")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,7})?Z?", re.ASCII)
_GUID: Final = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# At the end of each description of Entra's; older ones have lines, newer ones blanks between them.
_IN_TEXT: Final = re.compile(
    rf"Trace ID: (?P<trace_id>{_GUID})\s+Correlation ID: (?P<correlation_id>{_GUID})\s+"
    rf"Timestamp: (?P<timestamp>{_TIME.pattern})",
    re.ASCII,
)

_log = logging.getLogger(__name__)


def log_answer(upstream: str | None, method: str, status: int, headers: Mapping[str, str]) -> None:
    """Write what an upstream calls the call that it answered so."""
    log_event(
        _log,
        logging.INFO,
        "upstream-answer",
        upstream=upstream,
        method=method,
        status=status,
        ids=ids_of_headers(headers) or None,
    )


def ids_of_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the ids that an answer's header fields name; `headers` finds names in any case."""
    return {name: value for name in _FIELDS if (value := headers.get(name)) and _ID.fullmatch(value)}


def ids_of_refusal(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids that the token endpoint's refusal names (Entra's)."""
    found = {name: answer.get(name) for name in _MEMBERS}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str) and (_TIME if name == "timestamp" else _ID).fullmatch(value)
    }


def ids_of_text(description: str) -> dict[str, str]:
    """Return the ids at the end of an `error_description`: an authorization response has no other place for them."""
    found = _IN_TEXT.search(description[-300:])
    return {name: found[name] for name in _MEMBERS} if found else {}
