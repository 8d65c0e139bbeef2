"""The one HTTP transport that MSAL speaks through.

Owns what MSAL leaves open: time-outs (its own session has none), a cookie jar that keeps nothing (its own shares
the authority's cookies between people), no proxy or CA settings from the environment, no redirects, and the line
between an answer and a failure. MSAL's own fetch of the metadata is answered with the document that we have judged
already: it costs no call, no thread waits for it, and there is one last known good copy and not two.
And one line for each token request, with the ids by which the authority knows it.
Never retries, never logs a body, never sees more than one request at a time as related.

MSAL's `http_client` contract is `get`, `post` and `close` returning an object with `status_code`, `text`,
`headers` and `raise_for_status`; all of it blocking, so it is only ever called from a worker thread.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from servicekit.address_map import AddressMap
from servicekit.answer_ids import ids_of_headers, ids_of_refusal
from servicekit.clock_watch import ClockWatch
from servicekit.errors import AuthorityThrottles, AuthorityUnavailable
from servicekit.logs import log_event
from servicekit.outgoing_connections import REUSE_SECONDS
from servicekit.reference import request_id_header
from servicekit.refusals import refusal_of
from servicekit.reply import retry_after_seconds
from servicekit.tls_refusal import refused_by_tls
from servicekit.token_answer import read_token_answer
from servicekit.token_threads import MOST_THREADS

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10
LARGEST_ANSWER: Final = 1_000_000
_STOPPED_SECONDS: Final = 1
_OK: Final = 200
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
    """A pooled, cookie-less, time-limited HTTP client for MSAL; safe to share between threads.

    `verify` is True or the path of a CA bundle; `timeouts` are those for connecting and for each wait, the second also
    for a whole answer after its head; `now` is a monotonic clock in seconds.
    `on_request` is told, in the thread that asked, the grant type of every token request, whether it was granted,
    refused or failed, and the seconds that it took.
    """

    def __init__(
        self,
        *,
        address_map: AddressMap | None = None,
        verify: bool | str = True,
        pool_size: int = MOST_THREADS,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        now: Callable[[], float] = time.monotonic,
        clocks: ClockWatch | None = None,
        on_request: Callable[[str, str, float], None] | None = None,
    ) -> None:
        self._map = address_map or AddressMap()
        self._timeouts = timeouts
        self._now = now
        self._clocks = clocks or ClockWatch()
        self._on_request = on_request
        self._last_used = now()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def with_metadata(self, document: str) -> "MsalHttp":
        """Return what MSAL is given for one use: these connections, and the authority's metadata (JSON)."""
        return MsalHttp(self, document)

    def close(self) -> None:
        """Close pooled connections."""
        self._session.close()

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a token request; the answer is JSON of status 200 or 4xx except 429.

        Raises AuthorityUnavailable, of a 429 AuthorityThrottles.
        """
        begun, outcome, line = self._now(), "failed", dict[str, Any]()
        grant = str((data or {}).get("grant_type"))
        if begun - self._last_used > REUSE_SECONDS:
            # What is idle may be gone by now, and a code or a refresh token that meets its end is spent.
            self._session.close()
        try:
            answer = self._answer(url, line, params=params, data=data, headers=headers)
        except AuthorityUnavailable as failed:
            line["reason"] = failed.reason
            raise
        else:
            outcome = "granted" if answer.is_granted else "refused"
            return answer
        finally:
            self._last_used = self._now()
            seconds = self._last_used - begun
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
        address, extra = self._map.apply(url)
        try:
            with self._session.request(
                "POST",
                address,
                params=params,
                data=data,
                # In place of MSAL's own, which is an id that nobody else knows.
                headers={**(headers or {}), **request_id_header(), **extra},
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                self._clocks.compare(response.headers.get("Date"))
                line |= {"status": response.status_code, "ids": ids_of_headers(response.headers) or None}
                answer = _judge(response.status_code, self._whole(response), response.headers)
                if not answer.is_granted:
                    line |= _refusal(json.loads(answer.text), line["ids"] or {})
                return answer
        except AuthorityUnavailable:
            raise
        # urllib3 and ssl raise their own kinds while a streamed body is read.
        except (requests.RequestException, OSError, ValueError) as error:
            raise AuthorityUnavailable(refused_by_tls(error) or type(error).__name__) from error
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):
                raise AuthorityUnavailable(refused_by_tls(error) or type(error).__name__) from error
            raise

    def _whole(self, response: requests.Response) -> bytes:
        """Return the body; each byte renews requests' own time-out, so that an answer that trickles needs another.

        Where its end has passed there is a second more: a process that was stopped meanwhile finds the rest waiting.
        """
        end, last = self._now() + self._timeouts[1], 0.0
        body = bytearray()
        while piece := response.raw.read1(65_536, decode_content=True):
            body += piece
            if len(body) > LARGEST_ANSWER:
                break
            if self._now() > end:
                last = last or self._now() + _STOPPED_SECONDS
                if self._now() > last:
                    raise AuthorityUnavailable("an answer that trickles")
        return bytes(body)


class MsalHttp:
    """MSAL's `http_client` for one use."""

    def __init__(self, transport: AuthorityTransport, document: str) -> None:
        self._transport = transport
        self._document = document

    def get(self, _url: str, **_ignored: object) -> Answer:
        """Answer with the metadata: MSAL fetches nothing else."""
        return Answer(200, self._document, {})

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

    def close(self) -> None:
        """Do nothing: the connections are everybody's."""


def _refusal(answer: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Return what the log says of a refusal: its words and numbers, its ids, and nothing of its description."""
    return {"refusal": str(refusal_of(answer) or ""), "ids": {**ids, **ids_of_refusal(answer)} or None}


def _judge(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    if len(body) > LARGEST_ANSWER:
        raise AuthorityUnavailable("answer too large")
    if status not in _ANSWERS:
        failure = AuthorityThrottles if status == _TOO_MANY else AuthorityUnavailable
        raise failure(f"status {status}", retry_after=retry_after_seconds(headers))
    try:
        answer = read_token_answer(body, headers.get("Content-Type", ""))
    except ValueError as error:
        raise AuthorityUnavailable(f"status {status}, no token answer") from error
    # MSAL replays any answer that carries Retry-After, a 200 included, to the next caller of the same app.
    others = {name: value for name, value in headers.items() if name.lower() != "retry-after"}
    # Some refuse with status 200.
    return Answer(status, json.dumps(answer), others, is_granted=status == _OK and not answer.get("error"))
