"""A token that is lent for a call: once more with a fresh one, or a confirmation, and nothing else (R8, S30)."""

import time
from collections.abc import Sequence

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.demand import Demand
from gateway.errors import StepUpRequired
from gateway.proxy.lent_token import with_token
from gateway.session.sessions import LiveSession, SessionStore
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource
from servicekit.reply import Reply
from tests.unit.gateway.store_of_tests import begun

NOTES = Resource("notes", "api://notes/Notes.Read")
INVALID = 'Bearer error="invalid_token"'
CLAIMS = 'Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="'


def reply(status: int, *challenges: str) -> Reply:
    """What the resource answers."""
    return Reply(status, CIMultiDictProxy(CIMultiDict(("WWW-Authenticate", one) for one in challenges)), b"")


class Tokens(TokenBroker):
    """Has as many tokens as it is given."""

    def __init__(self, *values: str) -> None:
        self._left = list(values)
        self.forgotten: list[str] = []

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:  # noqa: ARG002 - a broker's
        return AccessToken(self._left.pop(0), time.time() + 3600)

    async def replacement(
        self, session: LiveSession, resource: Resource, refused: AccessToken
    ) -> AccessToken | None:
        """Return the next one, in place of one that it gave."""
        assert refused.value == "first"
        return await self.access_token(session, resource) if self._left else None

    async def forget_token(self, session: LiveSession, resource: Resource) -> None:  # noqa: ARG002 - a broker's
        self.forgotten.append(resource.key)


async def called(
    sessions: SessionStore, tokens: Tokens, *replies: Reply, is_repeatable: bool = True
) -> tuple[Reply, Sequence[str]]:
    """Call a resource that answers so, and return the answer with the tokens that were sent."""
    session, sent, left = await begun(sessions), list[str](), list(replies)

    async def send(token: AccessToken) -> Reply:
        sent.append(token.value)
        return left.pop(0)

    answer = await with_token(tokens, session, NOTES, send, name="the notes", is_repeatable=is_repeatable)
    return answer, sent


@pytest.mark.parametrize(
    "answer",
    [
        reply(200),
        reply(200, INVALID),
        reply(401),
        reply(401, 'Basic realm="x"'),
        reply(401, 'Bearer error="invalid_request"'),
        reply(403),
        reply(500, INVALID),
    ],
    ids=lambda one: f"{one.status} {one.headers.get('WWW-Authenticate', '')}",
)
async def test_whatever_asks_for_no_other_token_is_the_answer(sessions: SessionStore, answer: Reply) -> None:
    assert await called(sessions, Tokens("first", "second"), answer) == (answer, ["first"])


async def test_a_refused_token_is_replaced_once_and_the_second_answer_counts(sessions: SessionStore) -> None:
    for last in (reply(200), reply(401, INVALID)):
        answer, sent = await called(sessions, Tokens("first", "second"), reply(401, INVALID), last)
        assert (answer, sent) == (last, ["first", "second"])


async def test_what_cannot_be_repeated_or_has_no_other_token_is_sent_once(sessions: SessionStore) -> None:
    refused, tokens = reply(401, INVALID), Tokens("first", "second")

    assert await called(sessions, tokens, refused, is_repeatable=False) == (refused, ["first"])
    assert await called(sessions, Tokens("first"), refused) == (refused, ["first"])
    with pytest.raises(IndexError):
        await called(sessions, tokens, refused)  # the next call has no token any more: it was replaced


@pytest.mark.parametrize(
    "challenges",
    [
        [CLAIMS],
        [INVALID, CLAIMS],
        [CLAIMS, INVALID],
        [CLAIMS.replace("insufficient_claims", "invalid_token")],
    ],
    ids=["alone", "behind a refusal", "before a refusal", "with another error"],
)
async def test_S30_a_challenge_is_a_demand_for_the_resources_own_scope_and_no_fresh_token_is_tried(
    sessions: SessionStore, challenges: list[str]
) -> None:
    tokens = Tokens("first", "second")

    with pytest.raises(StepUpRequired) as caught:
        await called(sessions, tokens, reply(401, *challenges))

    assert caught.value.demand == Demand(NOTES.scope, claims='{"a":1}')
    assert tokens.forgotten == [NOTES.key]


async def test_S30_a_challenge_of_the_fresh_token_is_a_demand_too(sessions: SessionStore) -> None:
    with pytest.raises(StepUpRequired):
        await called(sessions, Tokens("first", "second"), reply(401, INVALID), reply(401, CLAIMS))
