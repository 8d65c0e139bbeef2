"""Graph in trouble: how long it may cost a person, and how often it is asked again (R17)."""

import itertools
import time
from collections.abc import Callable, Mapping

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from gateway.profile.fields import MEMBERS
from gateway.profile.graph import WHOLE_SECONDS, ProfileReader
from gateway.session.cookie import SessionCookie
from gateway.session.records import SessionRecords
from gateway.session.sessions import LiveSession, UserSession
from gateway.store.redis.connection import redis_client
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from gateway.tokens.access_token import AccessToken
from gateway.tokens.broker import TokenBroker
from gateway.tokens.resources import Resource
from gateway.upstream_rows import UpstreamRow
from servicekit.errors import ResourceUnavailable
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.problems import ProblemError
from servicekit.reply import Reply

OID = "an-oid"
GOOD = b'{"id": "an-oid"}'


def reply(status: int, **headers: str) -> Reply:
    """What Graph answers."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Reply(status, CIMultiDictProxy(named), GOOD if status == 200 else b"{}")


class Graph(Outbound):
    """Answers as told, and notes how long it was given."""

    def __init__(self, answer: Callable[[int], Reply]) -> None:
        self._answer = answer
        self.patience: list[float] = []

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json_body: object = None,
        timeout_seconds: float = 10,
    ) -> Reply:
        assert (method, url) == ("GET", "https://graph.example/v1.0/me")
        assert (headers or {})["Authorization"] == "Bearer a token"
        assert (params or {})["$select"] == ",".join(MEMBERS)
        assert json_body is None
        self.patience.append(timeout_seconds)
        return self._answer(len(self.patience))


class Tokens(TokenBroker):
    """Has a token."""

    def __init__(self) -> None:
        """Know nobody."""

    async def access_token(self, session: LiveSession, resource: Resource) -> AccessToken:  # noqa: ARG002 - a broker's
        return AccessToken("a token", time.time() + 3600)

    async def replacement(
        self,
        session: LiveSession,
        resource: Resource,
        refused: AccessToken,  # noqa: ARG002 - a broker's
    ) -> AccessToken | None:
        """Have another one like it."""
        return await self.access_token(session, resource)


def nobodys_vault() -> Vault:
    """Return a vault that has no server and is never asked."""
    return Vault(redis_client("redis://127.0.0.1:1"), KeyRing([b"k" * 32]), now=time.time)


class Reader:
    """A reader of profiles, and how long it slept."""

    def __init__(self, answer: Callable[[int], Reply]) -> None:
        self.graph = Graph(answer)
        self.slept: list[float] = []
        self._reader = ProfileReader(
            self.graph,
            Tokens(),
            row=UpstreamRow(name="me", prefix="/api/me", target="https://graph.example/v1.0/me", timeout=8),
            resource=Resource("graph", "User.Read"),
            sleep=self._sleep,
            jitter=lambda: 0.5,
        )
        user = UserSession(tid="t", oid=OID, sub="s", name="n", username="u", created_at=0)
        cookie = SessionCookie.new()
        records = SessionRecords(nobodys_vault(), cookie.ref, cookie.secret, {})
        self._session = LiveSession(cookie, user, 1e12, 1e12, records)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def read(self) -> str | None:
        return (await self._reader.read(self._session))["id"]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked, slept", [(None, 0.45), ("0", 0), ("1", 1), ("3", 3)])
async def test_R17_a_busy_graph_is_asked_once_more_when_it_says(
    status: int, asked: str | None, slept: float
) -> None:
    headers = {"Retry_After": asked} if asked else {}
    reader = Reader(lambda number: reply(status, **headers) if number == 1 else reply(200))

    assert await reader.read() == OID
    assert reader.slept == [slept]


@pytest.mark.parametrize("asked", ["4", "60", "99999"])
async def test_R17_a_pause_that_nobody_would_sit_through_is_passed_on(asked: str) -> None:
    reader = Reader(lambda _number: reply(429, Retry_After=asked))

    with pytest.raises(ResourceUnavailable) as caught:
        await reader.read()
    assert caught.value.headers["Retry-After"] == str(min(int(asked), 3600))
    assert reader.slept == []


@pytest.mark.parametrize("status", [400, 403, 404, 500, 502, 504])
async def test_R17_what_is_no_pause_is_not_tried_again(status: int) -> None:
    reader = Reader(lambda _number: reply(status))

    with pytest.raises(ProblemError):
        await reader.read()
    assert len(reader.graph.patience) == 1


async def test_R17_retries_are_a_tenth_of_the_calls() -> None:
    reader = Reader(lambda _number: reply(503))
    for _ in range(500):
        with pytest.raises(ResourceUnavailable):
            await reader.read()

    assert len(reader.graph.patience) <= 500 * 1.1 + 10, "ten are in reserve for quiet times"


async def test_R17_all_tries_share_ten_seconds() -> None:
    numbers = itertools.count(1)

    def answer(_number: int) -> Reply:
        return reply(401) if next(numbers) == 1 else reply(429, Retry_After="2")

    reader = Reader(answer)
    with pytest.raises(ResourceUnavailable):
        await reader.read()
    assert len(reader.graph.patience) == 3
    assert max(reader.graph.patience) <= 8 < WHOLE_SECONDS <= 10


async def test_R17_a_time_out_is_told_and_not_repeated() -> None:
    def silent(_number: int) -> Reply:
        raise OutboundError("timeout", maybe_done=True)

    reader = Reader(silent)
    with pytest.raises(ResourceUnavailable):
        await reader.read()
    assert len(reader.graph.patience) == 1
