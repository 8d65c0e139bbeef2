"""How long tokens for Graph are remembered, and how many (S36, C8)."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from resource_api.access_tokens import Caller
from resource_api.on_behalf_of import MARGIN_SECONDS, MOST_TOKENS, GraphTokens
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityUnavailable
from servicekit.token_threads import ON_BEHALF_OF, Purpose
from tests.stage.tenant import GATEWAY, MovableClock

T = TypeVar("T")
NOW = 1_800_000_000


class Exchanges(EntraClient):
    """An authority that gives a new token each time, with a life that the test says."""

    def __init__(self, expires_in: object = 3600) -> None:
        self.count = 0
        self.open = asyncio.Event()
        self.open.set()
        self.trouble = False
        self.expires_in = expires_in

    async def call(
        self,
        work: Callable[[Any], T],
        cache: Any = None,
        *,
        purpose: Purpose,
        who: object = None,
        refreshing: bool = False,
    ) -> T:
        assert (cache, purpose, who, refreshing) == (None, ON_BEHALF_OF, "an-oid", False)
        self.count += 1
        await self.open.wait()
        if self.trouble:
            raise AuthorityUnavailable("canary")
        return work(self)

    def acquire_token_on_behalf_of(self, _assertion: str, _scopes: list[str]) -> dict[str, object]:
        return {"access_token": f"token-{self.count}", "expires_in": self.expires_in}


def caller(assertion: str, *, life: int = 3600) -> Caller:
    return Caller("an-oid", GATEWAY, NOW + life, assertion)


@pytest.mark.parametrize(
    "graph, assertion, shortest",
    [(3600, 7200, 3600), (7200, 3600, 3600), ("3600", 7200, 3600), (10**9, 7200, 7200), (7200, 600, 600)],
)
async def test_S36_a_token_is_remembered_until_a_minute_before_it_or_its_assertion_ends(
    graph: object, assertion: int, shortest: int
) -> None:
    clock, entra = MovableClock(NOW), Exchanges(graph)
    tokens = GraphTokens(entra, now=clock)
    first = await tokens.token(caller("one", life=assertion))

    clock.now = NOW + shortest - MARGIN_SECONDS - 0.5
    assert await tokens.token(caller("one", life=assertion)) == first
    clock.now = NOW + shortest - MARGIN_SECONDS
    assert await tokens.token(caller("one", life=assertion)) != first


@pytest.mark.parametrize(
    "graph, assertion, shortest",
    [(300, 3600, 300), (3600, 300, 300), (3600, 60, 60), (10, 60, 10), (1, 1, 1)],
)
async def test_W1_a_token_of_a_short_life_costs_no_exchange_for_every_call(
    graph: int, assertion: int, shortest: int
) -> None:
    clock, entra = MovableClock(NOW), Exchanges(graph)
    tokens = GraphTokens(entra, now=clock)

    for part in (0, 0.3, 0.6, 0.89):
        clock.now = NOW + shortest * part
        await tokens.token(caller("one", life=assertion))
    assert entra.count == 1
    clock.now = NOW + shortest * 0.91
    await tokens.token(caller("one", life=assertion))
    assert entra.count == 2, "and it does not end on its way to Graph"


@pytest.mark.parametrize("life", [0, -1])
async def test_S36_a_token_for_an_assertion_that_has_ended_is_not_remembered(life: int) -> None:
    tokens = GraphTokens(Exchanges(), now=MovableClock(NOW))

    assert await tokens.token(caller("one", life=life)) != await tokens.token(caller("one", life=life))


@pytest.mark.parametrize("expires_in", [None, 0, -5, True])
async def test_S36_a_token_of_an_unknown_life_is_not_remembered(expires_in: object) -> None:
    tokens = GraphTokens(Exchanges(expires_in), now=MovableClock(NOW))

    assert await tokens.token(caller("one")) != await tokens.token(caller("one"))


async def test_S36_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    entra = Exchanges()
    tokens = GraphTokens(entra, now=MovableClock(NOW))
    for number in range(MOST_TOKENS + 1):
        await tokens.token(caller(f"assertion {number}"))
    assert entra.count == MOST_TOKENS + 1

    assert await tokens.token(caller("assertion 1")) == "token-2"
    assert await tokens.token(caller(f"assertion {MOST_TOKENS}")) == f"token-{MOST_TOKENS + 1}"
    assert entra.count == MOST_TOKENS + 1
    await tokens.token(caller("assertion 0"))
    assert entra.count == MOST_TOKENS + 2


async def test_S36_a_token_that_was_dropped_is_fetched_anew_and_no_other() -> None:
    entra = Exchanges()
    tokens = GraphTokens(entra, now=MovableClock(NOW))
    for assertion in ("one", "two"):
        await tokens.token(caller(assertion))

    tokens.forget(caller("one"))

    assert await tokens.token(caller("two")) == "token-2"
    assert await tokens.token(caller("one")) == "token-3"


async def test_a_caller_who_hangs_up_leaves_the_exchange_to_the_others() -> None:
    entra = Exchanges()
    tokens = GraphTokens(entra, now=MovableClock(NOW))
    entra.open.clear()
    first, second = (asyncio.ensure_future(tokens.token(caller("one"))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    entra.open.set()

    assert await second == "token-1"
    assert await tokens.token(caller("one")) == "token-1"


async def test_a_failure_is_everybodys_who_waits_and_not_remembered() -> None:
    entra = Exchanges()
    entra.trouble = True
    tokens = GraphTokens(entra, now=MovableClock(NOW))

    answers = await asyncio.gather(*(tokens.token(caller("one")) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in answers] == [AuthorityUnavailable] * 3
    assert entra.count == 1
    entra.trouble = False
    assert await tokens.token(caller("one")) == "token-2"
