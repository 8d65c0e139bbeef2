"""Every way in which the gateway fails, as a tree.

    ProblemError                      servicekit.problems: the root, never raised itself
    ├── SignInRequired            401 no session, or it ended
    ├── StepUpRequired            403 the MFA-protected token is missing, refused or challenged
    ├── StepUpLoop                429 three step-ups brought no token
    ├── CrossOriginRefused        403 the request does not come from our own pages
    ├── MisdirectedRequest        421 the request names a host that we are not
    ├── DuplicateCookie           400 the browser sends a cookie of ours twice
    ├── AuthFlowRejected          a flow ended without a session
    │   ├── SignInCancelled       400 the person cancelled
    │   ├── SignInExpired         400 the flow is unknown, used, too old, or of another browser
    │   ├── CookieNotKept         400 this browser keeps no cookie of a flow at this address
    │   ├── SignInFailed          400 what came back cannot be trusted
    │   ├── StepUpCancelled       403 the person cancelled; nothing changed
    │   └── DifferentPerson       403 somebody else came back from step-up
    ├── InvalidProfilePatch       422 fields are unknown, of the wrong type, too long or empty
    ├── ProfileChanged            412 If-Match failed
    ├── IdempotencyKeyReused      422 the key was used with another body
    ├── EditInProgress            409 the same key is being worked on
    ├── NotFound                  404 no such thing for this person
    ├── SessionStoreUnavailable   503 Redis fails; the cookie is kept
    │   └── SessionStoreNotAsked  503 we were too slow ourselves to ask Redis: told as `overloaded`
    │                                 and from servicekit.errors, as in the resource API:
    ├── BadRequest                400 the body or a header is not what it should be
    ├── AccessBlocked             403 policy blocks this person
    ├── RequestTimedOut           408 the body did not arrive in time
    ├── BodyTooLarge              413 no profile is that large
    ├── UriTooLong                414 the address is longer than anything we read
    ├── UnsupportedMediaType      415 the body is no JSON, or compressed
    ├── TooManyRequests           429 a person or a network asks for more than anybody needs
    ├── RequestHeaderFieldsTooLarge 431 the header fields, cookies among them, are larger than anything we read
    ├── Overloaded                503 more is under way than this process takes
    ├── ResourceUnavailable       502 Graph or the resource API fails
    │   └── UpstreamUnavailable   502 an API behind the gateway fails
    │       └── UpstreamTimedOut  504 it took too long
    ├── AuthorityUnavailable      503 the authority fails
    │   ├── AuthorityThrottles    503 the authority asks whoever asked to come back later (429)
    │   └── AuthorityNotAsked     503 nothing was asked: the authority failed a moment ago
    └── Misconfigured             500 an administrator's fault; never a redirect
        └── IssuerMismatch        500 the authority names another issuer than the configuration

A failing dependency is never reported as "signed out".
"""

import logging

from gateway.demand import Demand
from servicekit.errors import Outcome, Overloaded, ResourceUnavailable
from servicekit.problems import ProblemError


class SignInRequired(ProblemError):
    """There is no session, or it ended; `reason` says which, where it is known."""

    status, slug, title = 401, "sign-in-required", "Sign in to continue"
    log_level = logging.DEBUG

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(members={"redirect": "/auth/sign-in", "reason": reason})
        self.reason = reason

    @classmethod
    def by_duplicate_cookie(cls, *, is_read: bool = True) -> "SignInRequired":
        """Return what is said where two session cookies came, and so none counts.

        An answer that nobody reads, `is_read` False, leaves the cookies, so that the next one can say why they go.
        """
        duplicate = DuplicateCookie()
        error = cls(duplicate.slug)
        error.detail = duplicate.detail
        if is_read:
            error.headers = duplicate.headers
        return error


class StepUpRequired(ProblemError):
    """The authority or a resource wants more proof of the person: `demand` says what. Its claims stay on this side."""

    status, slug, title = 403, "step-up-required", "Confirm it is you"

    def __init__(self, demand: Demand, *, cause: str = "") -> None:
        super().__init__(
            "This needs a second confirmation of who you are.",
            log_detail=cause,
            members={"scope": demand.scope},
        )
        self.demand = demand

    def by_way_of(self, redirect: str) -> "StepUpRequired":
        """Return an error of its own that says where to go; several callers may share the one that was raised."""
        own = StepUpRequired(self.demand, cause=self.log_detail)
        own.members["redirect"] = redirect
        return own


class StepUpLoop(ProblemError):
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


class CrossOriginRefused(ProblemError):
    """The request does not come from our own pages, or lacks the header that proves it."""

    status, slug, title = 403, "cross-origin-refused", "This request did not come from the application"
    log_level = logging.WARNING


class MisdirectedRequest(ProblemError):
    """The request names a host that we are not (RFC 9110, section 15.5.20)."""

    status, slug, title = 421, "misdirected-request", "This address does not belong to this service"


class DuplicateCookie(ProblemError):
    """The browser sends a cookie of ours twice: one was planted, and nobody can tell which.

    The answer has the browser forget the cookies of this site (W3C Clear Site Data), and says how a person does it.
    """

    status, slug, title = 400, "duplicate-cookie", "Your browser sends a cookie of this service twice"
    log_level = logging.WARNING

    def __init__(self) -> None:
        super().__init__(
            "Two cookies of this service came under one name, so neither counts. Delete the cookies of this address "
            "in the browser, then load the page again.",
            headers={"Clear-Site-Data": '"cookies"'},
        )


class AuthFlowRejected(ProblemError):
    """A flow ended without a session; never raised itself."""

    status = 400


class SignInCancelled(AuthFlowRejected):
    """The person cancelled at the authority."""

    slug, title = "sign-in-cancelled", "You cancelled signing in"


class SignInExpired(AuthFlowRejected):
    """The flow is unknown, was used already, is too old, or belongs to another browser."""

    slug, title = "sign-in-expired", "This sign-in is too old"


class CookieNotKept(AuthFlowRejected):
    """The browser keeps no secure cookie at an address of plain http, as Safari on localhost: no flow can end there."""

    slug, title = "cookie-not-kept", "This browser keeps no cookie here"


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


class InvalidProfilePatch(ProblemError):
    """Fields are unknown, of the wrong type, too long, or empty where a value is required."""

    status, slug, title = 422, "invalid-profile-patch", "Some fields cannot be saved like this"

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__(members={"errors": errors})


class ProfileChanged(ProblemError):
    """`If-Match` names a state that is no longer current; `profile` is what is there, `etag` its entity tag."""

    status, slug, title = 412, "profile-changed", "The profile was changed elsewhere meanwhile"

    def __init__(self, profile: dict[str, str | None], etag: str) -> None:
        super().__init__(members={"profile": profile}, headers={"ETag": etag})
        self.profile = profile
        self.etag = etag


class IdempotencyKeyReused(ProblemError):
    """The idempotency key was used before, with another body."""

    status, slug, title = 422, "idempotency-key-reused", "This idempotency key belongs to another change"


class EditInProgress(ProblemError):
    """The same idempotency key is being worked on right now."""

    status, slug, title = 409, "edit-in-progress", "This change is being saved right now"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class NotFound(ProblemError):
    """There is no such thing for this person; whether it exists for another is not told."""

    status, slug, title = 404, "not-found", "Not Found"
    log_level = logging.DEBUG


class UpstreamUnavailable(ResourceUnavailable):
    """The upstream of this name gave no answer; `outcome` says what became of an unsafe request.

    `cause` is for the log; `retry_after` is in seconds.
    """

    def __init__(
        self, upstream: str, cause: str, *, retry_after: int | None = None, outcome: Outcome | None = None
    ) -> None:
        super().__init__(f"{upstream}: {cause}", retry_after=retry_after, outcome=outcome)
        self.members["upstream"] = upstream


class UpstreamTimedOut(UpstreamUnavailable):
    """It took longer than its row allows."""

    status, title = 504, "A service behind this page takes too long"


class SessionStoreUnavailable(ProblemError):
    """Redis does not answer; the cookie is kept, and the session is there when Redis is back."""

    status, slug, title = 503, "session-store-unavailable", "We cannot reach your session right now"
    log_level = logging.WARNING

    def __init__(self, cause: str) -> None:
        super().__init__(log_detail=cause, headers={"Retry-After": "2"})

    @classmethod
    def at_sign_out(cls) -> "SessionStoreUnavailable":
        """Return what is said of a session that ended in one Redis only, and would live again if that were lost."""
        error = cls("too few replicas have the end of a session")
        error.detail = "You are signed out, but that is not confirmed yet. Please sign out again in a moment."
        error.members = {"confirmed": False}
        return error

    @classmethod
    def in_the_middle(cls, ended: int) -> "SessionStoreUnavailable":
        """Return what is said where only some of many sessions could be ended: `ended` of them are, and stay so."""
        error = cls("not all sessions could be ended in time")
        error.detail = (
            "Not all of these sessions have ended yet. Please ask again in a moment for the others."
        )
        error.members = {"ended": ended}
        return error


class SessionStoreNotAsked(SessionStoreUnavailable):
    """Redis had no part in it: no connection was free for us, or our event loop stood still. Never told of Redis.

    Whoever goes on without Redis goes on without it here, too.
    """

    slug, title, log_level = Overloaded.slug, Overloaded.title, Overloaded.log_level

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.headers = Overloaded().headers
