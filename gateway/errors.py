"""Every way in which the gateway fails, as a tree.

    ProblemError                      servicekit.problems: the root, never raised itself
    ├── SignInRequired            401 no session, or it ended
    ├── StepUpRequired            403 the MFA-protected token is missing, refused or challenged
    ├── StepUpLoop                429 three step-ups brought no token
    ├── AccessBlocked             403 policy blocks this person
    ├── CrossOriginRefused        403 the request does not come from our own pages
    ├── AuthFlowRejected          a journey to the authority ended without a session
    │   ├── SignInCancelled       400 the person cancelled
    │   ├── SignInExpired         400 the journey is unknown, used, too old, or of another browser
    │   ├── SignInFailed          400 what came back cannot be trusted
    │   ├── StepUpCancelled       403 the person cancelled; nothing changed
    │   └── DifferentPerson       403 somebody else came back from step-up
    ├── InvalidProfilePatch       422 fields are unknown, of the wrong type, too long or empty
    ├── ProfileChanged            412 If-Match failed
    ├── IdempotencyKeyReused      422 the key was used with another body
    ├── EditInProgress            409 the same key is being worked on
    ├── NotFound                  404 no such thing for this person
    ├── TooManyRequests           429 one network begins, or one browser listens, more than anybody needs
    ├── BadRequest                400 the body or a header is not what it should be
    ├── RequestTimedOut           408 the body did not arrive in time
    ├── BodyTooLarge              413 no profile is that large
    ├── UnsupportedMediaType      415 the body is no JSON, or compressed
    ├── ResourceUnavailable       502 Graph or the resource API fails
    ├── AuthorityUnavailable      503 the authority fails
    ├── SessionStoreUnavailable   503 Redis fails; the cookie is kept
    └── Misconfigured             500 an administrator's fault; never a redirect

A failing dependency is never reported as "signed out".
"""

import logging

from servicekit.problems import ProblemError


class SignInRequired(ProblemError):  # noqa: N818 - the outcome's own name, as in the log and the documentation
    """There is no session, or it ended; `reason` says which, where it is known."""

    status, slug, title = 401, "sign-in-required", "Sign in to continue"
    log_level = logging.DEBUG

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(members={"redirect": "/auth/sign-in", "reason": reason})
        self.reason = reason


class StepUpRequired(ProblemError):  # noqa: N818
    """The authority or a resource wants more proof of the person.

    `claims` is the JSON that the next authorization and token request must carry. It stays on this side.
    `fresh` means that a confirmation of earlier does not count: the person must be asked again.
    `acr_values` and `max_age` are those of RFC 9470, as the resource wrote them.
    """

    status, slug, title = 403, "step-up-required", "Confirm it is you"

    def __init__(
        self,
        *,
        scope: str,
        claims: str | None = None,
        fresh: bool = False,
        acr_values: str | None = None,
        max_age: int | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(
            "This needs a second confirmation of who you are.",
            log_detail=cause,
            members={"scope": scope},
        )
        self.scope = scope
        self.claims = claims
        self.acr_values = acr_values
        self.max_age = max_age
        self.fresh = fresh

    def by_way_of(self, redirect: str) -> "StepUpRequired":
        """Return an error of its own that says where to go; several callers may share the one that was raised."""
        own = StepUpRequired(
            scope=self.scope,
            claims=self.claims,
            fresh=self.fresh,
            acr_values=self.acr_values,
            max_age=self.max_age,
            cause=self.log_detail,
        )
        own.members["redirect"] = redirect
        return own


class StepUpLoop(ProblemError):  # noqa: N818
    """Several step-ups in a row brought no usable token."""

    status, slug, title = 429, "step-up-loop", "Confirming did not help"
    log_level = logging.ERROR

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(
            "You confirmed several times, and the service still asks for more. "
            "The likely cause is a policy that demands a proof which this sign-in cannot give; "
            "an administrator has to look at it.",
            headers={"Retry-After": str(retry_after)},
        )


class AccessBlocked(ProblemError):  # noqa: N818
    """Policy blocks this person; signing in again would end the same way."""

    status, slug, title = 403, "access-blocked", "Your organisation does not allow this"
    log_level = logging.WARNING


class CrossOriginRefused(ProblemError):  # noqa: N818
    """The request does not come from our own pages, or lacks the header that proves it."""

    status, slug, title = 403, "cross-origin-refused", "This request did not come from the application"
    log_level = logging.WARNING


class AuthFlowRejected(ProblemError):  # noqa: N818
    """A journey to the authority ended without a session; never raised itself."""

    status = 400


class SignInCancelled(AuthFlowRejected):
    """The person cancelled at the authority."""

    slug, title = "sign-in-cancelled", "You cancelled signing in"


class SignInExpired(AuthFlowRejected):
    """The journey is unknown, was used already, is too old, or belongs to another browser."""

    slug, title = "sign-in-expired", "This sign-in is too old"


class SignInFailed(AuthFlowRejected):
    """What came back from the authority cannot be trusted."""

    slug, title = "sign-in-failed", "Signing in did not work"
    log_level = logging.WARNING


class StepUpCancelled(AuthFlowRejected):
    """The person cancelled the confirmation; session and changes are as before."""

    status, slug, title = 403, "step-up-cancelled", "You cancelled confirming"


class DifferentPerson(AuthFlowRejected):
    """Somebody else came back from step-up; their tokens are dropped, the session is as before."""

    status, slug, title = 403, "different-person", "Somebody else confirmed"
    log_level = logging.WARNING


class InvalidProfilePatch(ProblemError):  # noqa: N818
    """Fields are unknown, of the wrong type, too long, or empty where a value is required."""

    status, slug, title = 422, "invalid-profile-patch", "Some fields cannot be saved like this"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(members={"errors": errors})


class ProfileChanged(ProblemError):  # noqa: N818
    """`If-Match` names a state that is no longer current."""

    status, slug, title = 412, "profile-changed", "The profile was changed elsewhere meanwhile"

    def __init__(self, profile: dict[str, str | None], etag: str) -> None:
        super().__init__(members={"profile": profile}, headers={"ETag": etag})


class IdempotencyKeyReused(ProblemError):  # noqa: N818
    """The idempotency key was used before, with another body."""

    status, slug, title = 422, "idempotency-key-reused", "This idempotency key belongs to another change"


class EditInProgress(ProblemError):  # noqa: N818
    """The same idempotency key is being worked on right now."""

    status, slug, title = 409, "edit-in-progress", "This change is being saved right now"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class NotFound(ProblemError):  # noqa: N818
    """There is no such thing for this person; whether it exists for another is not told."""

    status, slug, title = 404, "not-found", "Not Found"
    log_level = logging.DEBUG


class TooManyRequests(ProblemError):  # noqa: N818 - the status' own name
    """More was begun than anybody needs: journeys from one network, or streams by one browser."""

    status, slug, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class BadRequest(ProblemError):  # noqa: N818
    """The request is not what it should be."""

    status, slug, title = 400, "bad-request", "This request cannot be read"


class RequestTimedOut(ProblemError):  # noqa: N818
    """The body did not arrive in time."""

    status, slug, title = 408, "request-timeout", "The request took too long to arrive"


class BodyTooLarge(ProblemError):  # noqa: N818
    """The body is larger than any profile."""

    status, slug, title = 413, "content-too-large", "The request is too large"


class UnsupportedMediaType(ProblemError):  # noqa: N818
    """The body is not JSON, or is compressed."""

    status, slug, title = 415, "unsupported-media-type", "This kind of content cannot be read"


class ResourceUnavailable(ProblemError):  # noqa: N818
    """Graph or the resource API fails; `outcome` says what became of a write: not-saved or unknown."""

    status, slug, title = 502, "resource-unavailable", "A service behind this page does not answer"
    log_level = logging.WARNING

    def __init__(self, cause: str, *, retry_after: int | None = None, outcome: str | None = None) -> None:
        super().__init__(
            log_detail=cause,
            headers={"Retry-After": str(retry_after or 5)},
            members={"outcome": outcome},
        )


class AuthorityUnavailable(ProblemError):  # noqa: N818
    """The authority does not answer; nobody is signed out by that."""

    status, slug, title = 503, "authority-unavailable", "The sign-in service does not answer"
    log_level = logging.WARNING

    def __init__(self, cause: str, *, retry_after: int | None = None) -> None:
        super().__init__(log_detail=cause, headers={"Retry-After": str(retry_after or 5)})


class SessionStoreUnavailable(ProblemError):  # noqa: N818
    """Redis does not answer; the cookie is kept, and the session is there when Redis is back."""

    status, slug, title = 503, "session-store-unavailable", "We cannot reach your session right now"
    log_level = logging.WARNING

    def __init__(self, cause: str) -> None:
        super().__init__(log_detail=cause, headers={"Retry-After": "2"})

    @classmethod
    def at_sign_out(cls) -> "SessionStoreUnavailable":
        """Return what is said of a session that ended in one Redis only, and would live again if that were lost."""
        told = cls("too few replicas have the end of a session")
        told.detail = "You are signed out, but that is not confirmed yet. Please sign out again in a moment."
        told.members = {"confirmed": False}
        return told


class Misconfigured(ProblemError):  # noqa: N818
    """An administrator's fault: consent, secret, resource or application. Signing in again would not help."""

    status, slug, title = 500, "misconfigured", "This service is not set up correctly"
    log_level = logging.ERROR
