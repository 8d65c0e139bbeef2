"""The failures that both services know, whatever they serve.

    ProblemError                  servicekit.problems: the root, never raised itself
    ├── BadRequest            400 the body or a header is not what it should be
    ├── AccessBlocked         403 policy blocks this person
    ├── RequestTimedOut       408 the body did not arrive in time
    ├── BodyTooLarge          413 the body is larger than anything the service reads
    ├── UriTooLong            414 the address is longer than anything the service reads
    ├── UnsupportedMediaType  415 the body is no JSON, or compressed
    ├── TooManyRequests       429 whoever asks has asked for more than anybody needs
    ├── RequestHeaderFieldsTooLarge 431 the header fields are larger than anything the service reads
    ├── Misconfigured         500 an administrator's fault
    │   └── IssuerMismatch    500 servicekit.discovery: the authority names another issuer than the configuration
    ├── Overloaded            503 more is under way than this process takes
    ├── ResourceUnavailable   502 a service behind this one fails
    └── AuthorityUnavailable  503 the authority fails
        ├── AuthorityThrottles 503 the authority asks whoever asked to come back later (429)
        └── AuthorityNotAsked 503 nothing was asked: the authority failed a moment ago

Owns their status, slug, title and log level, so that a failure means the same wherever it is met.
Never holds a failure of one service alone: those stand in that service's own `errors.py`.
"""

import logging
from typing import Final, Literal

from servicekit.problems import ProblemError

Outcome = Literal["not-saved", "not-sent", "unknown"]
"""What became of a write that failed: nothing was saved, it was not even sent, or nobody can tell."""
NOT_SAVED: Final = "not-saved"
NOT_SENT: Final = "not-sent"
UNKNOWN: Final = "unknown"

_RETRY_SECONDS: Final = 5


class BadRequest(ProblemError):
    """The request is not what it should be; the detail says where and never quotes it."""

    status, slug, title = 400, "bad-request", "This request cannot be read"


class AccessBlocked(ProblemError):
    """Policy blocks this person; neither signing in again nor another token would help."""

    status, slug, title = 403, "access-blocked", "Your organisation does not allow this"
    log_level = logging.WARNING


class RequestTimedOut(ProblemError):
    """The body did not arrive in time."""

    status, slug, title = 408, "request-timeout", "The request took too long to arrive"


class BodyTooLarge(ProblemError):
    """The body is larger than anything that the service reads."""

    status, slug, title = 413, "content-too-large", "The request is too large"


class UriTooLong(ProblemError):
    """The request's path and query are longer than anything that the service reads."""

    status, slug, title = 414, "uri-too-long", "This address is too long"


class TooManyRequests(ProblemError):
    """Somebody, or a network, asked for something more often than anybody needs.

    What a limit refused is told of where that is counted, and not with every single request. `retry_after` is in
    seconds.
    """

    status, slug, title = 429, "too-many-requests", "Too many requests"
    log_level = logging.DEBUG

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class RequestHeaderFieldsTooLarge(ProblemError):
    """The request's header fields, cookies among them, are larger than anything that the service reads."""

    status, slug, title = (
        431,
        "request-header-fields-too-large",
        "The browser sends too much with each request",
    )


class UnsupportedMediaType(ProblemError):
    """The body is not JSON, or is compressed."""

    status, slug, title = 415, "unsupported-media-type", "This kind of content cannot be read"


class Misconfigured(ProblemError):
    """An administrator's fault: consent, secret, resource or application. Signing in again would not help."""

    status, slug, title = 500, "misconfigured", "This service is not set up correctly"
    log_level = logging.ERROR


class Overloaded(ProblemError):
    """More is under way than this process takes; nothing was read or done. `retry_after` is in seconds.

    `cause` is for the log.
    """

    status, slug, title = 503, "overloaded", "Too much is going on here right now"
    log_level = logging.DEBUG  # one line for each would be more work, in the very moment of too much of it

    def __init__(self, cause: str = "", *, retry_after: int = 1) -> None:
        super().__init__(log_detail=cause, headers={"Retry-After": str(retry_after)})


class ResourceUnavailable(ProblemError):
    """A service behind this one fails; `outcome` says what became of a write.

    `cause` is for the log; `retry_after` is in seconds.
    """

    status, slug, title = 502, "resource-unavailable", "A service behind this page does not answer"
    log_level = logging.WARNING

    def __init__(self, cause: str, *, retry_after: int | None = None, outcome: Outcome | None = None) -> None:
        super().__init__(
            log_detail=cause,
            headers={"Retry-After": str(retry_after or _RETRY_SECONDS)},
            members={"outcome": outcome},
        )


class AuthorityUnavailable(ProblemError):
    """The authority gave no usable answer: unreachable, slow, throttling, 5xx, or not JSON.

    It is never a statement about the person, and nobody is signed out by it. `reason` is for the log; `retry_after` is
    in seconds, and None where the authority did not say.
    """

    status, slug, title = 503, "authority-unavailable", "The sign-in service does not answer"
    log_level = logging.WARNING

    def __init__(self, reason: str, *, retry_after: int | None = None) -> None:
        super().__init__(log_detail=reason, headers={"Retry-After": str(retry_after or _RETRY_SECONDS)})
        self.reason = reason
        self.retry_after = retry_after


class AuthorityThrottles(AuthorityUnavailable):
    """The authority answered 429: that holds whoever asked, and nobody else."""


class AuthorityNotAsked(AuthorityUnavailable):
    """Nothing was asked, as the authority failed a moment ago: there is nothing to remember of it."""
