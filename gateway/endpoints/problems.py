"""What each problem looks like to a caller, and which of them come together.

Owns their words in the API's description, and the shapes of the members that they add to RFC 9457's.
Never raises one: the examples are made as the code makes them, so their status, title and headers are its own.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from gateway import errors
from gateway.demand import Demand
from gateway.endpoints.answers import PROFILE, EndReason, ParkedEditHandle
from gateway.endpoints.examples import ADA, PARKED_EDIT_HANDLE
from gateway.endpoints.parked_answers import ParkedHandle
from servicekit import errors as shared
from servicekit.http.bodies import LARGEST_BODY, READ_SECONDS
from servicekit.http.conditions import etag_of
from servicekit.http.request_heads import LARGEST_HEAD, LONGEST_TARGET
from servicekit.operations import ProblemType
from servicekit.problems import Problem, ProblemError, plain_problem
from servicekit.text_schemas import FIELD_ERRORS

OF_A_SESSION: Final = (errors.SignInRequired, errors.SessionStoreUnavailable, shared.TooManyRequests)
"""Of whatever needs a session."""
OF_A_RESOURCE: Final = (
    *OF_A_SESSION,
    errors.StepUpRequired,
    errors.StepUpLoop,
    shared.AccessBlocked,
    shared.Misconfigured,
    shared.ResourceUnavailable,
    shared.AuthorityUnavailable,
    shared.Overloaded,
)
"""Of whatever asks a service behind the gateway in a person's name."""
OF_A_BODY: Final = (
    shared.BadRequest,
    shared.RequestTimedOut,
    shared.BodyTooLarge,
    shared.UnsupportedMediaType,
)
"""Of whatever reads JSON."""
OF_AN_UPSTREAM: Final = (
    *OF_A_RESOURCE,
    errors.UpstreamTimedOut,
    shared.BadRequest,
    shared.RequestTimedOut,
    shared.BodyTooLarge,
)
"""Of whatever goes to an API behind the gateway: any body, of any type."""
OF_A_FLOW: Final = (
    shared.AuthorityUnavailable,
    shared.Misconfigured,
    shared.Overloaded,
    errors.SessionStoreUnavailable,
)
"""Of whatever leads to the authority or back."""


_WAY: Final = r"^/auth/step-up\?challenge=[A-Za-z0-9_-]{22}"


def _with(error: ProblemError, **members: Any) -> Problem:
    """Return the problem with the members that are added to it on its way up."""
    problem = error.problem()
    return replace(problem, members={**problem.members, **members})


_OUTCOME: Final = Annotated[
    shared.Outcome,
    Field(description="After a write: what became of it. Absent when nothing was written."),
]
_UPSTREAM: Final = Annotated[str, Field(description="The name of the upstream that it is about.")]

PROBLEM_TYPES: Final = (
    ProblemType(
        shared.AccessBlocked().problem(), "Policy blocks this person; another sign-in would not help."
    ),
    ProblemType(
        shared.AuthorityUnavailable("").problem(), "The authority fails; nobody is signed out by that."
    ),
    ProblemType(
        shared.BadRequest("The body cannot be used: not JSON at line 1, column 2.").problem(),
        "The body, or a header such as `If-Match` or `Idempotency-Key`, has no usable form; nothing was saved.",
    ),
    ProblemType(shared.BodyTooLarge().problem(), f"The body has more than {LARGEST_BODY:,} bytes."),
    ProblemType(
        shared.UriTooLong().problem(), f"Path and query have more than {LONGEST_TARGET:,} bytes together."
    ),
    ProblemType(
        shared.RequestHeaderFieldsTooLarge().problem(),
        f"The header fields, cookies among them, have more than {LARGEST_HEAD:,} bytes together.",
    ),
    ProblemType(
        shared.RequestTimedOut().problem(), f"The body did not arrive within {READ_SECONDS} seconds."
    ),
    ProblemType(
        errors.CrossOriginRefused("Send the header X-CSRF: 1.").problem(),
        "`X-CSRF: 1` is missing, or `Sec-Fetch-Site` or `Origin` names another site.",
    ),
    ProblemType(
        errors.DuplicateCookie().problem(),
        "A cookie of the gateway came twice, so neither counts; the browser is told to delete this site's cookies.",
    ),
    ProblemType(
        errors.EditInProgress().problem(),
        "The same `Idempotency-Key`, or the same parked edit or request, is being worked on.",
    ),
    ProblemType(
        errors.IdempotencyKeyReused().problem(),
        "The `Idempotency-Key` was used before with another body, condition, method or path; nothing was done.",
    ),
    ProblemType(ProblemError().problem(), "A fault of the gateway; `reference` finds it in the log."),
    ProblemType(
        errors.InvalidProfilePatch(
            [{"field": "displayName", "code": "required", "detail": "This can't be empty."}]
        ).problem(),
        "Fields are unknown, of the wrong type, too long, or empty where a value is required; nothing was saved.",
        required={"errors": FIELD_ERRORS},
    ),
    ProblemType(
        shared.Misconfigured().problem(),
        "Consent, secret, resource or application: an administrator's fault; signing in again would not help.",
    ),
    ProblemType(
        errors.MisdirectedRequest().problem(), "`Host` names another host than the gateway's public address."
    ),
    ProblemType(
        shared.Overloaded().problem(),
        "More is under way than this process takes; nothing was read or done, and nobody else is at fault.",
    ),
    ProblemType(
        errors.NotFound().problem(),
        "There is no such thing for this person and session.",
        optional={
            "outcome": Annotated[
                Literal["unknown"],
                Field(
                    description="Of a parked request whose gateway died while it sent it: it is not sent again."
                ),
            ]
        },
    ),
    ProblemType(
        errors.ProfileChanged(ADA, etag_of(ADA)).problem(),
        "`If-Match` names a state that is no longer current; nothing was saved.",
        required={"profile": PROFILE},
    ),
    ProblemType(
        shared.ResourceUnavailable("", outcome=shared.NOT_SAVED).problem(),
        "Graph, the resource API or an upstream fails.",
        optional={"outcome": _OUTCOME, "upstream": _UPSTREAM},
    ),
    ProblemType(
        errors.UpstreamTimedOut("notes", "", outcome=shared.UNKNOWN).problem(),
        "An upstream takes longer than its row allows.",
        required={"upstream": str},
        optional={"outcome": _OUTCOME},
        alias="upstream-timed-out",
    ),
    ProblemType(
        errors.SessionStoreUnavailable("").problem(),
        "Redis fails; the cookie is kept, and nothing was saved.",
        optional={
            "confirmed": Annotated[
                Literal[False],
                Field(
                    description="At sign-out: the session ended, and a failover of Redis could still undo it; "
                    "sign out again."
                ),
            ],
            "ended": Annotated[
                int,
                Field(description="Where many sessions were to end: so many have; ask again for the others."),
            ],
        },
    ),
    ProblemType(
        errors.SignInRequired("expired").problem(),
        "There is no session, or it ended.",
        required={"redirect": Literal["/auth/sign-in"]},
        optional={
            "reason": Annotated[
                EndReason | Literal["duplicate-cookie"],
                Field(
                    description="Why the session ended, where that is known, or why it is not looked at: the session "
                    "cookie came twice. "
                    "After `rotated` the same call succeeds with the cookie that the browser has by now."
                ),
            ]
        },
    ),
    ProblemType(
        errors.StepUpLoop(retry_after=300).problem(),
        "Three confirmations in a row brought no token that the resource accepts.",
    ),
    ProblemType(
        _with(
            errors.StepUpRequired(
                Demand("api://a7d1f3c2-6b48-4e9f-b0c5-93e82d14f6a8/EditProfileService.ReadWrite")
            ),
            redirect="/auth/step-up?challenge=dQw4w9WgXcQ-8f3kLmN0pq",
            parked_edit=PARKED_EDIT_HANDLE,
        ),
        "The resource's token is missing, refused or challenged; the person has to confirm who they are.",
        required={
            "redirect": Annotated[
                str,
                Field(
                    pattern=f"{_WAY}$",
                    description="A path of the gateway to navigate to; append `&return_to=` with a path of your own.",
                ),
            ],
            "scope": str,
        },
        optional={"upstream": _UPSTREAM, "parked": ParkedHandle, "parked_edit": ParkedEditHandle},
    ),
    ProblemType(
        shared.TooManyRequests(
            "Too many pages listen already. Ask GET /api/session instead.", retry_after=30
        ).problem(),
        "This person, or this network, asked for it more often than anybody needs; nothing was done.",
    ),
    ProblemType(
        shared.UnsupportedMediaType(
            "Send application/json or application/merge-patch+json, not compressed."
        ).problem(),
        "The body is neither `application/json` nor `application/merge-patch+json`, or it is compressed.",
    ),
)


def problem_types(actions: Sequence[str] = ()) -> tuple[ProblemType, ...]:
    """Return all of them; where upstreams have `actions`, the way of a step-up may name one."""
    if not actions:
        return PROBLEM_TYPES
    way = Annotated[
        str,
        Field(
            pattern=rf"{_WAY}(&action=({'|'.join(actions)}))?$",
            description="A path of the gateway to navigate to; append `&return_to=` with a path of your own.",
        ),
    ]
    return tuple(
        replace(kind, required={**kind.required, "redirect": way})
        if kind.example.slug == errors.StepUpRequired.slug
        else kind
        for kind in PROBLEM_TYPES
    )


METHOD_NOT_ALLOWED: Final = ProblemType(
    plain_problem(405, {"Allow": "GET,HEAD"}), "The route does not take this method."
)
