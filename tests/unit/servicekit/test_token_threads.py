"""A share of threads for each purpose, with a breaker of its own, and what a 429 holds (R14, R15, L6, L9)."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from servicekit.bulkhead import BulkheadLimits
from servicekit.errors import AuthorityNotAsked, AuthorityThrottles, AuthorityUnavailable, Overloaded
from servicekit.throttling import DIFFERENT
from servicekit.token_threads import (
    FAILURES,
    ON_BEHALF_OF,
    OPEN_SECONDS,
    REFRESH,
    RENEWAL,
    SIGN_IN,
    Purpose,
)
from tests.stage.patience import PATIENCE
from tests.unit.servicekit.token_endpoint import (
    TokenEndpoint,
    accounts,
    client_of,
    exchange,
    running_token_endpoint,
)

THREADS = 4
FEW = Purpose("few", BulkheadLimits(places=THREADS, waiting=8, seconds=PATIENCE))


@pytest.fixture
async def endpoint() -> AsyncIterator[TokenEndpoint]:
    async with running_token_endpoint() as endpoint:
        yield endpoint


async def test_R14_slow_calls_wait_in_their_own_pool_and_not_without_end(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    await exchange(entra, "warm")
    gate = threading.Event()
    waiting = [
        asyncio.ensure_future(entra.call(lambda _app: gate.wait(10), purpose=FEW))
        for _ in range(THREADS + FEW.limits.waiting)
    ]
    await asyncio.sleep(0)  # each has a thread, or waits for one

    with pytest.raises(Overloaded, match="no place, and 8 wait"):
        await exchange(entra, "one too many", FEW)
    assert sum(thread.name.startswith("msal-few") for thread in threading.enumerate()) <= THREADS
    gate.set()
    assert all(await asyncio.gather(*waiting))
    assert (await exchange(entra, "after", FEW))["access_token"] == "for after"


async def test_M7_R14_calls_that_are_stuck_hold_up_no_name_resolution(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    await exchange(entra, "warm")
    endpoint.answers.clear()
    stuck = [asyncio.ensure_future(exchange(entra, f"person {number}", FEW)) for number in range(THREADS + 8)]
    while len(endpoint.forms) <= THREADS:  # noqa: ASYNC110 - what is waited for happens in threads
        await asyncio.sleep(0.01)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(
            *(asyncio.get_running_loop().getaddrinfo("localhost", port) for port in range(1, 20))
        )
    assert not any(call.done() for call in stuck)
    endpoint.answers.set()
    await asyncio.gather(*stuck)


async def test_R14_after_some_failures_nobody_waits_until_one_call_succeeds(
    endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    entra = await client_of(endpoint, seconds=0.3)
    await exchange(entra, "warm")
    endpoint.delay = 9
    answers = await asyncio.gather(
        *(exchange(entra, f"person {number}", SIGN_IN) for number in range(60)), return_exceptions=True
    )
    assert {type(answer) for answer in answers} == {AuthorityUnavailable, AuthorityNotAsked}
    assert len(endpoint.forms) <= 1 + SIGN_IN.limits.places + FAILURES, "whoever waited was refused"
    assert "token-requests-paused" in caplog.text
    endpoint.delay, requests = 0, len(endpoint.forms)

    for call in (entra.call(accounts, purpose=SIGN_IN), entra.prepare(accounts)):
        refused = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        assert refused.done(), "it waited for something"
        with pytest.raises(AuthorityNotAsked) as caught:
            await refused
        assert caught.value.retry_after == OPEN_SECONDS
    assert len(endpoint.forms) == requests

    endpoint.clock.now += OPEN_SECONDS
    assert await entra.prepare(accounts) == [], "proves nothing"
    endpoint.answers.clear()
    probe = asyncio.ensure_future(exchange(entra, "probe", SIGN_IN))
    await asyncio.sleep(0)
    with pytest.raises(AuthorityNotAsked):
        await exchange(entra, "beside the probe", SIGN_IN)
    endpoint.answers.set()
    assert (await probe)["access_token"] == "for probe"
    assert (await exchange(entra, "after", SIGN_IN))["access_token"] == "for after"


@pytest.mark.parametrize("asked, held", [(7, 7), (3600, 60)])
async def test_R15_L9_what_the_authority_asks_of_several_in_a_row_is_kept_for_everybody(
    endpoint: TokenEndpoint, asked: int, held: int
) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [
        web.json_response({}, status=429, headers={"Retry-After": str(asked)}) for _ in range(DIFFERENT)
    ]
    for number in range(DIFFERENT):
        with pytest.raises(AuthorityThrottles):
            await exchange(entra, "ada", who=f"person {number}")

    endpoint.clock.now += held - 1
    with pytest.raises(AuthorityNotAsked) as caught:
        await exchange(entra, "grace")
    assert caught.value.retry_after == 1
    assert len(endpoint.forms) == DIFFERENT
    endpoint.clock.now += 1
    assert (await exchange(entra, "grace"))["access_token"] == "for grace"


async def test_R15_L9_after_a_pause_one_more_429_is_for_everybody_again(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [
        web.json_response({}, status=429, headers={"Retry-After": "60"}) for _ in range(DIFFERENT + 1)
    ]
    for number in range(DIFFERENT):
        with pytest.raises(AuthorityThrottles):
            await exchange(entra, "ada", who=f"person {number}")
    endpoint.clock.now += 60
    with pytest.raises(AuthorityThrottles):
        await exchange(entra, "grace")

    with pytest.raises(AuthorityNotAsked) as caught:
        await exchange(entra, "linus")
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("status", [429, 503])
async def test_L9_one_answer_that_asks_for_a_minute_holds_nobody_else(
    endpoint: TokenEndpoint, status: int
) -> None:
    entra = await client_of(endpoint)
    for purpose in (REFRESH, SIGN_IN, ON_BEHALF_OF):
        endpoint.script = [web.json_response({}, status=status, headers={"Retry-After": "60"})]
        with pytest.raises(AuthorityUnavailable) as caught:
            await exchange(entra, "ada", purpose, "ada")
        assert caught.value.retry_after == 60

        assert (await exchange(entra, "grace", purpose, "grace"))["access_token"] == "for grace"
        assert await entra.prepare(accounts) == []


async def test_L9_the_same_session_may_be_told_429_again_and_again_without_anybody_else_being_held(
    endpoint: TokenEndpoint,
) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.json_response({}, status=429) for _ in range(20)]
    for _ in range(20):
        with pytest.raises(AuthorityThrottles):
            await exchange(entra, "ada", REFRESH, "ada")

    assert (await exchange(entra, "grace", REFRESH, "grace"))["access_token"] == "for grace"


async def test_R15_a_503_that_asks_for_a_minute_has_it_where_it_is_the_fifth_failure_in_a_row(
    endpoint: TokenEndpoint,
) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [
        web.json_response({}, status=503, headers={"Retry-After": "60"}) for _ in range(FAILURES)
    ]
    for _ in range(FAILURES):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada")

    with pytest.raises(AuthorityNotAsked) as caught:
        await exchange(entra, "grace")
    assert caught.value.retry_after == 60


async def test_refusals_never_open_the_circuit(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.json_response({"error": "invalid_grant"}, status=400) for _ in range(20)]

    for _ in range(20):
        assert (await exchange(entra, "ada"))["error"] == "invalid_grant"


async def test_R14_whoever_finds_no_thread_is_told_after_some_seconds(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    soon = Purpose("soon", BulkheadLimits(places=THREADS, waiting=8, seconds=0.25))
    gate = threading.Event()
    held = [
        asyncio.ensure_future(entra.call(lambda _app: gate.wait(20), purpose=soon)) for _ in range(THREADS)
    ]
    await exchange(entra, "warm", FEW)

    with pytest.raises(Overloaded, match="no place within"):
        await exchange(entra, "waiting", soon)
    impatient = asyncio.ensure_future(exchange(entra, "gone", soon))
    await asyncio.sleep(0)
    impatient.cancel()
    gate.set()
    await asyncio.gather(*held)
    assert (await exchange(entra, "after", soon))["access_token"] == "for after"


async def test_L6_a_purpose_whose_threads_are_all_taken_holds_up_no_other(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    await exchange(entra, "warm")
    endpoint.answers.clear()
    stuck = [
        asyncio.ensure_future(exchange(entra, f"{purpose.name} {number}", purpose))
        for purpose in (REFRESH, RENEWAL)
        for number in range(purpose.limits.places + 5)
    ]
    await asyncio.sleep(0)  # each has a thread, or waits for one
    begun = asyncio.ensure_future(entra.prepare(accounts))
    await asyncio.sleep(0)
    assert begun.done(), "it waited for something"

    sign_in = asyncio.ensure_future(exchange(entra, "a person", SIGN_IN))
    while "a person" not in {form["assertion"] for form in endpoint.forms}:  # noqa: ASYNC110 - it happens in a thread
        await asyncio.sleep(0.01)
    endpoint.answers.set()
    await asyncio.gather(sign_in, *stuck)


async def test_L6_what_fails_for_one_purpose_is_nothing_to_another(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    endpoint.script = [web.Response(status=500) for _ in range(FAILURES)]
    for _ in range(FAILURES):
        with pytest.raises(AuthorityUnavailable):
            await exchange(entra, "ada", REFRESH)
    with pytest.raises(AuthorityNotAsked):
        await exchange(entra, "ada", REFRESH)

    assert await entra.prepare(accounts) == []
    assert (await exchange(entra, "grace", SIGN_IN))["access_token"] == "for grace"


async def test_L6_waiting_for_our_own_threads_is_no_failure_of_the_authority(endpoint: TokenEndpoint) -> None:
    entra = await client_of(endpoint)
    hurried = Purpose("hurried", BulkheadLimits(places=1, waiting=8, seconds=0.05))
    gate = threading.Event()
    held = asyncio.ensure_future(entra.call(lambda _app: gate.wait(20), purpose=hurried))
    await exchange(entra, "warm", FEW)
    for _ in range(FAILURES + 1):
        with pytest.raises(Overloaded):
            await exchange(entra, "ada", hurried)
    gate.set()
    await held

    assert (await exchange(entra, "ada", hurried))["access_token"] == "for ada"


async def test_R12_a_client_that_takes_no_more_refuses_who_waits_and_lets_the_others_end(
    endpoint: TokenEndpoint,
) -> None:
    entra = await client_of(endpoint)
    await exchange(entra, "warm")
    endpoint.answers.clear()
    calls = [asyncio.ensure_future(exchange(entra, f"person {n}", FEW)) for n in range(2 * THREADS)]
    while len(endpoint.forms) <= THREADS:  # noqa: ASYNC110 - what is waited for happens in threads
        await asyncio.sleep(0.01)
    entra.take_no_more()
    endpoint.answers.set()
    ends = await asyncio.gather(*calls, return_exceptions=True)

    assert [isinstance(end, Overloaded) for end in ends] == [False] * THREADS + [True] * THREADS
    for purpose in (FEW, SIGN_IN):
        with pytest.raises(Overloaded):
            await exchange(entra, "later", purpose)
