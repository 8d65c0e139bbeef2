"""The navigations `/auth/sign-in`, `/auth/sign-up`, `/auth/step-up` and `/auth/callback`.

Owns reading what the browser brings and sending it on.
Never answers with JSON, never takes scope, prompt or claims from a query, and never reads the session cookie at the
callback: the authority's cross-site POST does not carry it.
"""

import hmac
from typing import Final

from aiohttp import hdrs, web

from gateway import errors
from gateway.app_keys import AUTH_FLOW, CLOCK, DISCOVERY, FLOWS, JOURNEY_LIMIT, SESSIONS
from gateway.edge.bodies import read_form
from gateway.edge.guard import Policy, Route
from gateway.edge.problem_pages import FLOW_STATE, RETURN_TO
from gateway.flows.flow import SIGN_IN, SIGN_UP, STEP_UP
from gateway.flows.flow_record import AuthCodeFlow, FlowStore, local_path
from gateway.metrics import JOURNEY
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.problems import ProblemError
from servicekit.refusals import RefusalKind, refusal_of

# What an authorization response may hold (RFC 6749, 4.1.2; RFC 9207; Entra); anything twice is refused.
_READ: Final = frozenset(
    {"code", "state", "error", "iss", "session_state", "client_info", "error_description", "error_uri"}
)
_LARGEST_ANSWER: Final = 16_384
_BEGUN: Final = "begun"
_COMPLETED: Final = "completed"


async def sign_in(request: web.Request) -> web.Response:
    """Send the browser to the authority to sign in."""
    return await _leave(request, SIGN_IN)


async def sign_up(request: web.Request) -> web.Response:
    """Send the browser to the authority's sign-up (`prompt=create`)."""
    return await _leave(request, SIGN_UP)


async def step_up(request: web.Request) -> web.Response:
    """Send the signed-in person to the authority for a second factor."""
    request[RETURN_TO] = return_to = local_path(request.query.get("return_to"))
    request[JOURNEY] = (STEP_UP, _BEGUN)
    session = await request.app[SESSIONS].require(request)
    url, flow = await request.app[AUTH_FLOW].begin_step_up(
        session, return_to, challenge=request.query.get("challenge")
    )
    return await _depart(request, url, flow)


async def callback(request: web.Request) -> web.Response:
    """Take the authority's answer: a session, or a refusal that the SPA explains."""
    answer = await _answer(request)
    flow = await request.app[FLOWS].take(request, answer["state"])
    request[FLOW_STATE] = answer["state"]  # from here the journey is over; while Redis is away it is not
    if flow is None:
        raise errors.SignInExpired
    request[RETURN_TO] = flow.return_to
    request[JOURNEY] = (flow.purpose, _COMPLETED)
    await _check_issuer(request, answer.get("iss"))
    if "error" in answer:
        raise _refused(answer["error"], flow)
    arrival = await request.app[AUTH_FLOW].complete(
        flow, answer, device=request.headers.get(hdrs.USER_AGENT, "")
    )
    if arrival.session:
        await request.app[SESSIONS].bind(request, arrival.session)
    response = _see_other(arrival.return_to)
    FlowStore.close(response, answer["state"])
    return response


async def _leave(request: web.Request, purpose: str) -> web.Response:
    request[RETURN_TO] = return_to = local_path(request.query.get("return_to"))
    request[JOURNEY] = (purpose, _BEGUN)
    request.app[JOURNEY_LIMIT].take(request)
    session = await request.app[SESSIONS].find(request)
    url, flow = await request.app[AUTH_FLOW].begin(purpose, return_to, session)
    return await _depart(request, url, flow)


async def _depart(request: web.Request, url: str, flow: AuthCodeFlow) -> web.Response:
    response = _see_other(url)
    await request.app[FLOWS].put(request, response, flow, now=request.app[CLOCK]())
    return response


async def _answer(request: web.Request) -> dict[str, str]:
    """Return the authorization response's parameters; raises SignInFailed unless each is there at most once."""
    if request.method == hdrs.METH_POST:
        length = request.content_length
        is_small = length is not None and length <= _LARGEST_ANSWER
        pairs = await read_form(request) if is_small and not request.query_string else None
    else:
        pairs = list(request.query.items())
    answer: dict[str, str] = {}
    for name, value in pairs or []:
        if name not in _READ:
            continue
        if name in answer:
            raise errors.SignInFailed(log_detail=f"the answer holds {name} twice")
        answer[name] = value
    if not answer.get("state") or ("code" in answer) == ("error" in answer):
        raise errors.SignInFailed(log_detail="the answer holds no state, or not one of code and error")
    return answer


async def _check_issuer(request: web.Request, told: str | None) -> None:
    """Refuse an answer of another authority (RFC 9207, section 2.4); Entra neither promises nor sends `iss`."""
    metadata = await request.app[DISCOVERY].metadata()
    if told is None and metadata.promises_issuer:
        raise errors.SignInFailed(log_detail="the answer names no issuer, which the authority promised")
    if told is not None and not hmac.compare_digest(told.encode(), metadata.issuer.encode()):
        raise errors.SignInFailed(log_detail="the answer names another issuer")


def _refused(error: str, flow: AuthCodeFlow) -> ProblemError:
    """Return what the authority's refusal means; its description is foreign text and is not read."""
    refusal = refusal_of({"error": error})
    told = str(refusal)
    if error == "access_denied":
        cancelled = errors.StepUpCancelled if flow.purpose == STEP_UP else errors.SignInCancelled
        return cancelled(log_detail=told)
    if refusal is None or refusal.kind in {RefusalKind.INTERACTION, RefusalKind.GRANT_DEAD}:
        return errors.SignInFailed(log_detail=told)
    if refusal.kind is RefusalKind.UNAVAILABLE:
        return AuthorityUnavailable(told)
    return Misconfigured(log_detail=f"the authority refuses our authorization request: {told}")


def _see_other(url: str) -> web.Response:
    # 303, never 307: a 307 would repeat the authority's POST, code included, at the next address.
    return web.Response(status=303, headers={hdrs.LOCATION: url, hdrs.CACHE_CONTROL: "no-store"})


def routes(response_mode: str) -> list[Route]:
    """Return this module's rows; the callback takes one method only, that of the configured response mode."""
    method = hdrs.METH_POST if response_mode == "form_post" else hdrs.METH_GET
    return [
        Route(hdrs.METH_GET, "/auth/sign-in", sign_in, Policy.NAVIGATION),
        Route(hdrs.METH_GET, "/auth/sign-up", sign_up, Policy.NAVIGATION),
        Route(hdrs.METH_GET, "/auth/step-up", step_up, Policy.NAVIGATION),
        Route(method, "/auth/callback", callback, Policy.CALLBACK),
    ]
