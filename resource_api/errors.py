"""Every way in which the resource API fails, as a tree.

    ProblemError                                servicekit.problems: the root, never raised itself
    ├── TokenNeeded                         a bearer token would help; each carries its WWW-Authenticate
    │   ├── MisplacedToken                  400 the token stands in more than one place
    │   ├── InvalidToken                    401 missing, unreadable, forged, expired, or not meant for us
    │   ├── InsufficientScope               403 the token lacks the scope of the route
    │   ├── InsufficientClaims              401 Entra or Graph wants more proof; claims say which
    │   └── InsufficientUserAuthentication  401 the person's sign-in is too old (RFC 9470)
    ├── InvalidProfilePatch                 422 fields are unknown, of the wrong type, too long or empty
    ├── ProfileChanged                      412 `If-Match` names a state that is no longer current
    ├── ProfileNotFound                     409 Graph does not know the person (yet, or any more)
    │                                       and from servicekit.errors, as in the gateway:
    ├── BadRequest                          400 the body or a header is not what it should be
    ├── AccessBlocked                       403 policy blocks this person, or Graph refuses the change
    ├── RequestTimedOut                     408 the body did not arrive in time
    ├── BodyTooLarge                        413 more than 16 kB
    ├── UriTooLong                          414 the address is longer than anything the service reads
    ├── UnsupportedMediaType                415 not JSON, or compressed
    ├── TooManyRequests                     429 too many tokens came from one network that cannot be believed
    ├── RequestHeaderFieldsTooLarge         431 the header fields are larger than anything the service reads
    ├── Overloaded                          503 more is under way than this process takes
    ├── ResourceUnavailable                 502 raised in these forms only:
    │   └── DirectoryUnavailable            502 Graph fails; `outcome` says what became of the write
    │       └── ResourceBusy                503 Graph asks us to wait; nothing was written
    ├── AuthorityUnavailable                503 the authority fails
    │   ├── AuthorityThrottles              503 the authority asks whoever asked to come back later (429)
    │   └── AuthorityNotAsked               503 nothing was asked: the authority failed a moment ago
    └── Misconfigured                       500 an administrator's fault
        └── IssuerMismatch                  500 the authority names another issuer than the configuration

What a token lacks is told by code alone; the reason goes to the log.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace

from servicekit import challenges
from servicekit.challenges import BearerChallenge
from servicekit.errors import NOT_SAVED, Outcome, ResourceUnavailable
from servicekit.problems import ProblemError
from servicekit.text_fields import FieldError


class TokenNeeded(ProblemError):
    """Another token would help; never raised itself."""

    def __init__(self, challenge: BearerChallenge, *, log_detail: str = "") -> None:
        super().__init__(log_detail=log_detail, headers={"WWW-Authenticate": challenge.header()})
        self.challenge = challenge


class MisplacedToken(TokenNeeded):
    """The token came more than once, or by more than one way (RFC 6750, section 3.1)."""

    status, slug, title = 400, "bad-request", "This request says twice who calls"

    def __init__(self) -> None:
        super().__init__(BearerChallenge(realm="", error=challenges.INVALID_REQUEST))
        self.detail = "Send the access token once, in the Authorization header."


class InvalidToken(TokenNeeded):
    """There is no token, or none that may be believed; `error` is left out where none was sent (RFC 6750)."""

    status, slug, title = 401, "invalid-token", "A valid access token is needed"

    def __init__(self, log_detail: str, *, sent: bool = True) -> None:
        self.sent = sent
        error = challenges.INVALID_TOKEN if sent else None
        super().__init__(BearerChallenge(realm="", error=error), log_detail=log_detail)


class InsufficientScope(TokenNeeded):
    """The token is good, but not for this."""

    status, slug, title = 403, "insufficient-scope", "The access token does not allow this"

    def __init__(self, scope: str) -> None:
        super().__init__(BearerChallenge(realm="", error=challenges.INSUFFICIENT_SCOPE, scope=scope))
        self.members = {"scope": scope}


class InsufficientClaims(TokenNeeded):
    """More proof of the person is wanted; `claims` is what the next token request must carry (JSON)."""

    status, slug, title = 401, "insufficient-claims", "The person has to confirm who they are"

    def __init__(self, claims: str | None, *, cause: str) -> None:
        challenge = BearerChallenge(realm="", error=challenges.INSUFFICIENT_CLAIMS, claims=claims)
        super().__init__(challenge, log_detail=cause)

    def name_authority(self, authorization_uri: str | None, client_id: str) -> None:
        """Add where the proof can be had and for which API, as Entra's own challenges do."""
        self.challenge = replace(self.challenge, authorization_uri=authorization_uri, client_id=client_id)
        self.headers["WWW-Authenticate"] = self.challenge.header()


class InsufficientUserAuthentication(TokenNeeded):
    """The person's sign-in is older than the route allows (RFC 9470, section 3)."""

    status, slug, title = 401, "insufficient-user-authentication", "The person has to sign in again"

    def __init__(self, *, max_age: int, acr_values: str | None) -> None:
        super().__init__(
            BearerChallenge(
                realm="",
                error=challenges.INSUFFICIENT_USER_AUTHENTICATION,
                max_age=max_age,
                acr_values=acr_values,
            )
        )
        self.members = {"max_age": max_age, "acr_values": acr_values}


class InvalidProfilePatch(ProblemError):
    """Fields are unknown, of the wrong type, too long, or empty where a value is required."""

    status, slug, title = 422, "invalid-profile-patch", "Some fields cannot be saved like this"

    def __init__(self, errors: list[FieldError], *, log_detail: str = "") -> None:
        super().__init__(log_detail=log_detail, members={"errors": [error.as_json() for error in errors]})


class ProfileChanged(ProblemError):
    """`If-Match` names a state that is no longer current; `profile` is what is there, `etag` its entity tag."""

    status, slug, title = 412, "profile-changed", "The profile was changed elsewhere meanwhile"

    def __init__(self, profile: Mapping[str, str | None], etag: str) -> None:
        super().__init__(members={"profile": profile}, headers={"ETag": etag})


class ProfileNotFound(ProblemError):
    """Graph does not know the person: just created, and not everywhere yet, or deleted."""

    status, slug, title = 409, "profile-not-found", "There is no profile to change"
    log_level = logging.WARNING

    def __init__(self, cause: str) -> None:
        super().__init__(log_detail=cause, members={"outcome": NOT_SAVED})


class DirectoryUnavailable(ResourceUnavailable):
    """Graph fails; `outcome` says what became of the write: not-saved or unknown."""

    title = "The directory does not answer"

    def __init__(self, cause: str, *, outcome: Outcome = NOT_SAVED, retry_after: int | None = None) -> None:
        super().__init__(cause, retry_after=retry_after, outcome=outcome)


class ResourceBusy(DirectoryUnavailable):
    """Graph asks us to wait longer than a request can; nothing was written."""

    status = 503
