"""The navigations `/auth/sign-in`, `/auth/sign-up`, `/auth/step-up` and `/auth/callback`.

Owns reading what the browser brings and sending it on.
Never answers with JSON, never takes scope, prompt or claims from a query, and never reads the session cookie at the
callback: the authority's cross-site POST does not carry it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, Literal

from aiohttp import hdrs, web
from pydantic import Field

from gateway import errors
from gateway.app_keys import ARRIVALS, AUDIT, AUTH_FLOW, CLIENT_ADDRESSES, FLOWS, SESSIONS
from gateway.audit import facts
from gateway.edge.forms import FORM
from gateway.edge.guard import RequestKind, Route
from gateway.edge.limit_rules import Limit
from gateway.edge.origins import ORIGINS
from gateway.edge.problem_pages import RETURN_TO
from gateway.endpoints import parameters
from gateway.endpoints.answers import AuthorizationResponse
from gateway.endpoints.problems import OF_A_FLOW
from gateway.flows.access_rules import PROFILE_EDIT
from gateway.flows.authorization_response import read_response
from gateway.flows.flow import SIGN_IN, SIGN_UP, STEP_UP, CompletedFlow
from gateway.flows.flow_record import AuthCodeFlow, FlowStore
from gateway.flows.return_address import return_address
from gateway.flows.step_up import CHALLENGE
from gateway.request_metrics import FLOW
from gateway.session.cookie import refuse_doubled
from gateway.tokens.token_records import GRANTED
from servicekit.errors import AccessBlocked, RequestTimedOut, TooManyRequests
from servicekit.http.answers import Answer
from servicekit.operations import Operation, Parameter, RequestBody, Response

_CALLBACK: Final = "/auth/callback"
_CHALLENGE_FORM: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_BEGUN: Final = "begun"
_COMPLETED: Final = "completed"
_FACTS: Final = {
    SIGN_IN: (facts.SIGN_IN, facts.SESSION_BEGAN),
    SIGN_UP: (facts.SIGN_UP, facts.SESSION_BEGAN),
    STEP_UP: (facts.STEP_UP, facts.SESSION_ROTATED),
}


async def sign_in(request: web.Request) -> web.Response:
    """Send the browser to the authority, with PKCE, state and nonce.

    For navigation only: a frame, an image or a prefetch is refused.
    """
    return await _leave(request, SIGN_IN)


async def sign_up(request: web.Request) -> web.Response:
    """Do the same with `prompt=create`: the authority begins with its sign-up."""
    return await _leave(request, SIGN_UP)


async def step_up(request: web.Request) -> web.Response:
    """Meet the challenge that a `step-up-required` problem named, or ask for the confirmation up front.

    A challenge that is forgotten counts as the latter; an `action` that there is not leads to `not-found`.
    """
    request[RETURN_TO] = return_to = return_address(request.query.get("return_to"), request.app[ORIGINS])
    request[FLOW] = (STEP_UP, _BEGUN)
    session = await request.app[SESSIONS].require(request)
    url, flow = await request.app[AUTH_FLOW].begin_step_up(
        session, return_to, challenge=_challenge(request), action=request.query.get("action")
    )
    return await _depart(request, url, flow)


async def callback(request: web.Request) -> web.Response:
    """Take one answer to one flow of this browser, once; for the authority alone.

    Sent a second time before the response arrived, it is given the same. Registered only while `GATEWAY_RESPONSE_MODE`
    is `form_post`.
    """
    answer = await read_response(request)
    name = FlowStore.name_of_answer(request, answer)
    completed = await request.app[ARRIVALS].once(name, lambda: _arrive(request, answer))
    if completed.session:
        await request.app[SESSIONS].bind(request, completed.session)
    return FlowStore.close(_see_other(completed.return_to), answer["state"])


async def _arrive(request: web.Request, answer: dict[str, str]) -> CompletedFlow:
    flow = await request.app[FLOWS].take(request, answer["state"])
    request[FLOW] = (flow.purpose, _COMPLETED)
    device = request.headers.get(hdrs.USER_AGENT, "")
    network = request.app[CLIENT_ADDRESSES].of(request).network
    completed = await request.app[AUTH_FLOW].complete(flow, answer, device=device, network=network)
    if completed.session:
        for fact in _FACTS[flow.purpose]:
            request.app[AUDIT].record(fact, completed.session.subject, upstream=completed.upstream)
    return completed


async def _leave(request: web.Request, purpose: str) -> web.Response:
    request[RETURN_TO] = return_to = return_address(request.query.get("return_to"), request.app[ORIGINS])
    request[FLOW] = (purpose, _BEGUN)
    refuse_doubled(request)
    session = await request.app[SESSIONS].find(request)
    url, flow = await request.app[AUTH_FLOW].begin(purpose, return_to, session)
    return await _depart(request, url, flow)


async def _depart(request: web.Request, url: str, flow: AuthCodeFlow) -> web.Response:
    response = _see_other(url)
    await request.app[FLOWS].put(request, response, flow, now=await request.app[SESSIONS].time())
    return response


def _see_other(url: str) -> web.Response:
    # 303, never 307: a 307 would repeat the authority's POST, code included, at the next address.
    return Answer(status=303, headers={hdrs.LOCATION: url, hdrs.CACHE_CONTROL: "no-store"})


_ACTION: Final = Parameter(
    "action", "query", "`profile.edit`: confirm before editing.", Literal["profile.edit"]
)
_ACTION_OF_A_ROW: Final = "Any other: before requests to the upstream of that name."
_DEPARTURE: Final = Response(
    "To the authority. Or to `/problem?type=…&reference=…&return_to=…` of the front end; `type` is one of "
    "JourneyProblem. Or to `/` when the navigation came from another site: then nothing was begun.",
    status=303,
    headers=(hdrs.LOCATION,),
)


def _challenge(request: web.Request) -> str | None:
    """Return the challenge that is named; None where it is no name of ours, so that Redis never sees foreign text."""
    challenge = request.query.get("challenge", "")
    return challenge if _CHALLENGE_FORM.fullmatch(challenge) else None


def _records_to_step_up(request: web.Request) -> Sequence[str]:
    challenge = _challenge(request)
    return [GRANTED.field(), *([CHALLENGE.field(challenge)] if challenge else ())]


_ARRIVAL_PROBLEMS: Final = (
    errors.SignInCancelled,
    errors.SignInExpired,
    errors.DuplicateCookie,
    errors.CookieNotKept,
    errors.SignInFailed,
    errors.StepUpCancelled,
    errors.DifferentPerson,
    errors.SignInRequired,
    AccessBlocked,
    TooManyRequests,
    *OF_A_FLOW,
)

ROUTES: Final = (
    Route(
        hdrs.METH_GET,
        "/auth/sign-in",
        sign_in,
        RequestKind.NAVIGATION,
        limit=Limit.SIGN_INS,
        operation=Operation(
            "signIn",
            "Sign in",
            tag="navigations",
            response=_DEPARTURE,
            problems=(*OF_A_FLOW, TooManyRequests, errors.DuplicateCookie),
            parameters=(parameters.RETURN_TO,),
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/auth/sign-up",
        sign_up,
        RequestKind.NAVIGATION,
        limit=Limit.SIGN_INS,
        operation=Operation(
            "signUp",
            "Sign up",
            tag="navigations",
            response=_DEPARTURE,
            problems=(*OF_A_FLOW, TooManyRequests, errors.DuplicateCookie),
            parameters=(parameters.RETURN_TO,),
        ),
    ),
    Route(
        hdrs.METH_GET,
        "/auth/step-up",
        step_up,
        RequestKind.NAVIGATION,
        records=_records_to_step_up,
        limit=Limit.STEP_UPS,
        operation=Operation(
            "stepUp",
            "Confirm who you are",
            tag="navigations",
            response=_DEPARTURE,
            problems=(*OF_A_FLOW, errors.SignInRequired, errors.NotFound, TooManyRequests),
            parameters=(
                Parameter(
                    "challenge",
                    "query",
                    "The id that `redirect` of a `step-up-required` problem holds.",
                ),
                _ACTION,
                parameters.RETURN_TO,
            ),
        ),
    ),
    Route(
        hdrs.METH_POST,
        _CALLBACK,
        callback,
        RequestKind.CALLBACK,
        binds_session=True,
        limit=Limit.CALLBACKS,
        operation=Operation(
            "callback",
            "The authority's answer (form_post)",
            tag="navigations",
            response=Response(
                "To the flow's `return_to` with a new session cookie, or to `/problem?type=…`; `type` is one of "
                "JourneyProblem.",
                status=303,
                headers=(hdrs.LOCATION,),
            ),
            problems=(*_ARRIVAL_PROBLEMS, RequestTimedOut),
            body=RequestBody(AuthorizationResponse, (FORM,)),
        ),
    ),
    Route(
        hdrs.METH_GET,
        _CALLBACK,
        callback,
        RequestKind.CALLBACK,
        binds_session=True,
        limit=Limit.CALLBACKS,
        operation=Operation(
            "callbackByQuery",
            "The authority's answer (query)",
            tag="navigations",
            description="The same by query. Registered only while `GATEWAY_RESPONSE_MODE` is `query`.",
            response=Response("As for form_post.", status=303, headers=(hdrs.LOCATION,)),
            problems=_ARRIVAL_PROBLEMS,
            parameters=tuple(Parameter(name, "query") for name in AuthorizationResponse.__annotations__),
        ),
    ),
)


def described(actions: Sequence[str] = ()) -> list[Route]:
    """Return all rows as the description has them: a step-up may be for one of the `actions` as well."""
    return [_with_actions(row, actions) if actions and row.handler is step_up else row for row in ROUTES]


def _with_actions(row: Route, actions: Sequence[str]) -> Route:
    if row.operation is None:
        return row
    names = Annotated[str, Field(json_schema_extra={"enum": [PROFILE_EDIT, *actions]})]
    action = Parameter(_ACTION.name, _ACTION.place, f"{_ACTION.description} {_ACTION_OF_A_ROW}", names)
    taken = tuple(action if one is _ACTION else one for one in row.operation.parameters)
    return replace(row, operation=replace(row.operation, parameters=taken))


def routes(response_mode: str) -> list[Route]:
    """Return the rows that are served: the callback takes one method only, that of the configured response mode."""
    method = hdrs.METH_POST if response_mode == "form_post" else hdrs.METH_GET
    return [row for row in ROUTES if row.path != _CALLBACK or row.method == method]
