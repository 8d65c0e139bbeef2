"""The one HTTP transport that MSAL speaks through.

Owns what MSAL leaves open: time-outs (its own session has none), no memory for cookies (its own shares the authority's
between people), no proxy or CA settings from the environment, no redirects, and the line between an answer and a
failure. MSAL's own fetch of the metadata is answered with the document that we have judged
already: it costs no call, no thread waits for it, and there is one last known good copy and not two.
And one line for each token request, with the ids by which the authority knows it.
Never retries, never logs a body, never sees more than one request at a time as related, and has no connection of its
own making: requests go by those of `http_client/`, on the event loop, while MSAL's thread waits.

MSAL's `http_client` contract is `get`, `post` and `close` returning an object with `status_code`, `text`,
`headers` and `raise_for_status`; all of it blocking, so it is only ever called from a worker thread.
"""

import asyncio
import concurrent.futures
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from servicekit.answer_ids import ids_of_headers, ids_of_refusal
from servicekit.clock_watch import ClockWatch
from servicekit.errors import AuthorityThrottles, AuthorityUnavailable
from servicekit.http_client.client import Request
from servicekit.http_client.request_head import request_head
from servicekit.logs import log_event
from servicekit.outbound import Outbound
from servicekit.outbound_call import OutboundCall
from servicekit.outbound_error import OutboundError
from servicekit.outgoing_connections import REUSE_SECONDS
from servicekit.reference import request_id_header
from servicekit.refusals import refusal_of
from servicekit.reply import Reply
from servicekit.token_answer import read_token_answer
from servicekit.token_threads import MOST_THREADS

ANSWER_SECONDS: Final = 10
_OK: Final = 200
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
# Nothing is gained by it for an answer of some kilobytes; one that comes compressed all the same is opened.
_UNPACKED: Final = "Accept-Encoding: identity\r\n"
_LOOP_SECONDS: Final = 10
"""How much longer a thread waits than the event loop waits for the authority: only one that has ended needs it."""
# RFC 6749, sections 5.1 and 5.2; who is told to come back later has no answer yet.
_TOO_MANY: Final = 429
_ANSWERS: Final = frozenset({200, *range(400, 500)} - {_TOO_MANY})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What MSAL is given of an HTTP response: a JSON object with status 200 or 4xx, except 429."""

    status_code: int
    text: str
    headers: Mapping[str, str]
    is_granted: bool = True

    def raise_for_status(self) -> None:
        """Do nothing: an answer is never a failure of the server, and MSAL asks this of metadata only."""


class AuthorityTransport:
    """A pooled, cookie-less, time-limited HTTP client for MSAL, to be made on the event loop; threads share it.

    `network` says whom TLS trusts, and how long connecting may take. The authority has `seconds` for a connection and
    for all of an answer, in which lateness of our own event loop does not count. An idle connection is used again for
    `reuse_seconds`: what is idle for longer may be gone by now, and a code or a refresh token that meets its end is
    spent. `now` is a monotonic clock in seconds.
    `on_request` is told, in the thread that asked, the grant type of every token request, whether it was granted,
    refused or failed, and the seconds that it took.
    """

    def __init__(
        self,
        network: Outbound,
        *,
        seconds: float = ANSWER_SECONDS,
        reuse_seconds: float = REUSE_SECONDS,
        now: Callable[[], float] = time.monotonic,
        clocks: ClockWatch | None = None,
        on_request: Callable[[str, str, float], None] | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._known = network.connections.known
        self._client = network.connections.client(reuse_seconds, MOST_THREADS)
        self._seconds = seconds
        self._now = now
        self._clocks = clocks or ClockWatch()
        self._on_request = on_request

    def with_metadata(self, document: str) -> "MsalHttp":
        """Return what MSAL is given for one use: these connections, and the authority's metadata (JSON)."""
        return MsalHttp(self, document)

    def close(self) -> None:
        """Close the idle connections, and keep none any more."""
        self._client.close()

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a token request, and wait for the answer in this thread; it is JSON of status 200 or 4xx except 429.

        Raises AuthorityUnavailable, of a 429 AuthorityThrottles.
        """
        begun, outcome, line = self._now(), "failed", dict[str, Any]()
        grant = str((data or {}).get("grant_type"))
        try:
            answer = self._answer(url, line, params=params, data=data, headers=headers)
        except AuthorityUnavailable as failed:
            line["reason"] = failed.reason
            raise
        else:
            outcome = "granted" if answer.is_granted else "refused"
            return answer
        finally:
            seconds = self._now() - begun
            if self._on_request:
                self._on_request(grant, outcome, seconds)
            log_event(
                _log,
                logging.INFO,
                "token-request",
                grant=grant,
                outcome=outcome,
                milliseconds=round(seconds * 1000),
                **line,
            )

    def _answer(
        self,
        url: str,
        line: dict[str, Any],
        *,
        params: Mapping[str, str] | None,
        data: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        """Return the answer, and fill `line` with what the log says of it."""
        try:
            # With our id in place of MSAL's own, which nobody else knows.
            fields = {**_FORM, **(headers or {}), **request_id_header()}
            call = self._call(f"{url}?{_form(params)}" if params else url, fields, _form(data or {}).encode())
            reply = self._waited_for(call)
        except OutboundError as error:
            raise AuthorityUnavailable(error.reason) from error
        except ValueError as error:
            raise AuthorityUnavailable(type(error).__name__) from error
        self._clocks.compare(reply.headers.get("Date"))
        line |= {"status": reply.status, "ids": ids_of_headers(reply.headers) or None}
        answer = _judge(reply)
        if not answer.is_granted:
            line |= _refusal(json.loads(answer.text), line["ids"] or {})
        return answer

    def _call(self, url: str, fields: Mapping[str, str], body: bytes) -> OutboundCall:
        """Return the call that a token request is; raises ValueError where it would not be one request."""
        address, target = self._known.of(url)
        whole = {**fields, "Content-Length": str(len(body))}
        head = request_head("POST", target, _UNPACKED + address.lines, whole.items())
        request = Request("POST", head, body, unpacks=True)
        return OutboundCall(self._client, address.origin, request, self._seconds)

    def _waited_for(self, call: OutboundCall) -> Reply:
        """Return the reply to a call, which is made on the event loop."""
        work = call.whole()
        try:
            asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise AuthorityUnavailable("the process ends") from error
        try:
            return asked.result(self._seconds * 2 + _LOOP_SECONDS)
        except (concurrent.futures.CancelledError, TimeoutError) as error:
            asked.cancel()
            raise AuthorityUnavailable("the process ends") from error


class MetadataOnly:
    """MSAL's `http_client` for what asks nobody: it knows the authority's metadata (JSON), and no way to anywhere."""

    def __init__(self, document: str) -> None:
        self._document = document

    def get(self, _url: str, **_ignored: object) -> Answer:
        """Answer with the metadata: MSAL fetches nothing else."""
        return Answer(200, self._document, {})

    def close(self) -> None:
        """Do nothing: there is nothing to close, or it is everybody's."""


class MsalHttp(MetadataOnly):
    """MSAL's `http_client` for one use."""

    def __init__(self, transport: AuthorityTransport, document: str) -> None:
        super().__init__(document)
        self._transport = transport

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,
    ) -> Answer:
        """Send a token request; raises AuthorityUnavailable."""
        return self._transport.post(url, params=params, data=data, headers=headers)


def _form(members: Mapping[str, Any]) -> str:
    """Return members as a form; one without a value is left out (RFC 6749, section 3.2)."""
    return urlencode({name: value for name, value in members.items() if value is not None}, doseq=True)


def _refusal(answer: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Return what the log says of a refusal: its words and numbers, its ids, and nothing of its description."""
    return {"refusal": str(refusal_of(answer) or ""), "ids": {**ids, **ids_of_refusal(answer)} or None}


def _judge(reply: Reply) -> Answer:
    if reply.status not in _ANSWERS:
        failure = AuthorityThrottles if reply.status == _TOO_MANY else AuthorityUnavailable
        raise failure(f"status {reply.status}", retry_after=reply.retry_after)
    try:
        answer = read_token_answer(reply.body, reply.headers.get("Content-Type", ""))
    except ValueError as error:
        raise AuthorityUnavailable(f"status {reply.status}, no token answer") from error
    # MSAL replays any answer that carries Retry-After, a 200 included, to the next caller of the same app.
    others = {name: value for name, value in reply.headers.items() if name.lower() != "retry-after"}
    # Some refuse with status 200.
    return Answer(
        reply.status, json.dumps(answer), others, is_granted=reply.status == _OK and not answer.get("error")
    )
