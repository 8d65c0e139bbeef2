"""A call with the token of a session, which is lent for this call alone.

Owns the one repetition with a fresh token where the first is refused, and what a challenge means: StepUpRequired, for
the resource's own scope. Every other answer is for its caller to judge.
Never sends anything itself, never reads a body, and never holds a token for longer than the call.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from multidict import CIMultiDictProxy

from gateway.demand import Demand
from gateway.errors import StepUpRequired
from gateway.proxy.challenges import REFUSALS, challenges_of, demand_in, refuses_token
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource


class Answer(Protocol):
    """What a refusal can be seen by: the head of an answer."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """Its headers."""


A = TypeVar("A", bound=Answer)


def is_refused(answer: Answer) -> bool:
    """Tell whether an answer says, in the words of RFC 6750, that another token is worth a try."""
    return refuses_token(challenges_of(answer.status, answer.headers))


def _hold_nothing(_answer: Answer) -> None:
    """Do nothing: an answer that came whole holds nothing."""


async def with_token(
    tokens: TokenBroker,
    session: LiveSession,
    resource: Resource,
    send: Callable[[AccessToken], Awaitable[A]],
    *,
    name: str,
    is_repeatable: bool = True,
    refused: Callable[[A], bool] = is_refused,
) -> A:
    """Send with the session's token for `resource`, and once more with a fresh one where that is refused.

    A challenge that asks for a confirmation is no refusal that a fresh token could mend. Where the request cannot be
    repeated the token is replaced all the same: the next one shall not meet the same refusal. `name` is the log's name
    of who was called. Raises StepUpRequired, and what `send` and `TokenBroker.access_token` raise.
    """
    token = await tokens.access_token(session, resource)
    answer = await send(token)
    if answer.status not in REFUSALS:
        return answer
    return await after_refusal(
        tokens,
        session,
        resource,
        send,
        token=token,
        answer=answer,
        name=name,
        is_repeatable=is_repeatable,
        refused=refused,
    )


async def after_refusal(
    tokens: TokenBroker,
    session: LiveSession,
    resource: Resource,
    send: Callable[[AccessToken], Awaitable[A]],
    *,
    token: AccessToken,
    answer: A,
    name: str,
    is_repeatable: bool = True,
    refused: Callable[[A], bool] = is_refused,
    drop: Callable[[A], None] = _hold_nothing,
) -> A:
    """Go on as `with_token` does where `answer`, one of REFUSALS, came to `token`.

    `drop` hears of each answer that is not returned, which may be twice of one.
    """
    try:
        if _demanded(answer, resource) is None and refused(answer):
            another = await tokens.replacement(session, resource, token)
            if another and is_repeatable:
                drop(answer)
                answer = await send(another)
        demand = _demanded(answer, resource)
        if demand:
            await tokens.forget_token(session, resource)
    except BaseException:
        drop(answer)
        raise
    if demand:
        drop(answer)
        raise StepUpRequired(demand, cause=f"{name} asks for a confirmation")
    return answer


def _demanded(answer: Answer, resource: Resource) -> Demand | None:
    return demand_in(challenges_of(answer.status, answer.headers), resource.scope)
