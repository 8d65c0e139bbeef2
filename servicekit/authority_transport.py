"""The one HTTP transport that MSAL speaks through.

Owns what MSAL leaves open: time-outs (its own session has none), a cookie jar that keeps nothing (its own shares
the authority's cookies between people), no proxy or CA settings from the environment, no redirects, the memory of
the discovery document with its last known good copy, and the line between an answer and a failure.
Never retries, never logs a body, never sees more than one request at a time as related.

MSAL's `http_client` contract is `get`, `post` and `close` returning an object with `status_code`, `text`,
`headers` and `raise_for_status`; all of it blocking, so it is only ever called from a worker thread.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter

from servicekit.address_map import AddressMap

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10
DISCOVERY_SECONDS: Final = 3600
LARGEST_ANSWER: Final = 1_000_000
_BAD_REQUEST: Final = 400
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500


class AuthorityUnavailable(Exception):  # noqa: N818 - named as the outcome it is, like its siblings
    """The authority gave no usable answer: unreachable, slow, throttling, 5xx, or not JSON.

    `retry_after` is in seconds, where the authority said; it is never a statement about the person.
    """

    def __init__(self, reason: str, *, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What MSAL is given of an HTTP response: JSON with a status below 500 and not 429."""

    status_code: int
    text: str
    headers: Mapping[str, str]

    def raise_for_status(self) -> None:
        """Raise for 4xx: MSAL calls this for discovery only."""
        if self.status_code >= _BAD_REQUEST:
            raise AuthorityUnavailable(f"discovery answered {self.status_code}")


class AuthorityTransport:
    """A pooled, cookie-less, time-limited HTTP client for MSAL; safe to share between threads.

    `verify` is True or the path of a CA bundle; `now` a monotonic clock in seconds.
    Raises AuthorityUnavailable from `get` and `post`.
    """

    def __init__(
        self,
        *,
        address_map: AddressMap | None = None,
        verify: bool | str = True,
        pool_size: int = 12,
        timeouts: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._map = address_map or AddressMap()
        self._timeouts = timeouts
        self._now = now
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._documents: dict[str, tuple[float, Answer]] = {}
        self._discovery = threading.Lock()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,
    ) -> Answer:
        """Fetch a discovery document, or hand out the remembered one.

        The first caller fetches while the others wait for it; when a later fetch fails, the last good copy
        stays in use (Microsoft's advice for metadata).
        """
        remembered = self._documents.get(url)
        if remembered and self._now() < remembered[0]:
            return remembered[1]
        with self._discovery:
            remembered = self._documents.get(url)
            if remembered and self._now() < remembered[0]:
                return remembered[1]
            try:
                answer = self._send("GET", url, params=params, headers=headers)
                answer.raise_for_status()
            except AuthorityUnavailable:
                if remembered is None:
                    raise
                # Ask again in a minute, not at every call.
                self._documents[url] = (self._now() + 60, remembered[1])
                return remembered[1]
            self._documents[url] = (self._now() + DISCOVERY_SECONDS, answer)
            return answer

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **_ignored: object,
    ) -> Answer:
        """Send a token request; the answer is JSON of status 200 or 4xx except 429."""
        return self._send("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """Close pooled connections."""
        self._session.close()

    def _send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        address, extra = self._map.apply(url)
        try:
            with self._session.request(
                method,
                address,
                params=params,
                data=data,
                headers={**(headers or {}), **extra},
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response:
                body = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
                return _judge(response.status_code, body, response.headers)
        except AuthorityUnavailable:
            raise
        # urllib3 and ssl raise their own kinds while a streamed body is read.
        except (requests.RequestException, OSError, ValueError) as error:
            raise AuthorityUnavailable(type(error).__name__) from error
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):
                raise AuthorityUnavailable(type(error).__name__) from error
            raise


def _judge(status: int, body: bytes, headers: Mapping[str, str]) -> Answer:
    if len(body) > LARGEST_ANSWER:
        raise AuthorityUnavailable("answer too large")
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise AuthorityUnavailable(f"status {status}", retry_after=_seconds(headers.get("Retry-After")))
    try:
        text = body.decode()
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AuthorityUnavailable(f"status {status}, not JSON") from error
    if not isinstance(parsed, dict):
        raise AuthorityUnavailable(f"status {status}, not a JSON object")
    # MSAL replays any answer that carries Retry-After, a 200 included, to the next caller of the same app.
    kept = {name: value for name, value in headers.items() if name.lower() != "retry-after"}
    return Answer(status, text, kept)


def _seconds(text: str | None) -> int | None:
    return min(int(text), 3600) if text and text.isascii() and text.isdigit() else None
