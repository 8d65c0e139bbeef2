"""R9: cancelled at every await of callback, refresh, PATCH and sign-out, one after the other.

The request goes through the whole application, all middlewares included, in this process; a driver counts how often it
is suspended and has its task cancelled at the k-th time, for every k until it ends by itself.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlencode

import pytest
from aiohttp import StreamReader, web
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from gateway.session.cookie import COOKIE, SessionCookie
from tests.product.test_tokens import broker_of, end_of_token, vault_of
from tests.stage.invariants import drop_leases, violations
from tests.stage.other_front_end import ADA, OtherFrontEnd
from tests.stage.patience import PATIENCE
from tests.stage.world import World

STEP_UP = "/auth/step-up?action=profile.edit&return_to=/edit"
MOST_AWAITS = 120
SECONDS = PATIENCE
"""In which each trial ends, whatever happens to it."""


class CancelledAt:
    """Awaits a coroutine, and lets the task that does so be cancelled while it is suspended for the k-th time."""

    def __init__(self, work: Coroutine[Any, Any, web.StreamResponse], k: int) -> None:
        self._work = work
        self._k = k
        self.suspensions = 0

    def __await__(self) -> Generator[Any, None, web.StreamResponse]:
        """Pass everything through, both ways."""
        inner = self._work.__await__()
        task = asyncio.current_task()
        assert task is not None
        error: BaseException | None = None
        while True:
            try:
                awaited = inner.send(None) if error is None else inner.throw(error)
            except StopIteration as done:
                answer: web.StreamResponse = done.value
                return answer
            self.suspensions += 1
            if self.suspensions == self._k:
                task.get_loop().call_soon(task.cancel)
            error = None
            try:
                yield awaited
            except BaseException as thrown:  # noqa: BLE001 - a coroutine hands on whatever it is given
                error = thrown


def asked(
    world: World, person: OtherFrontEnd, method: str, path: str, body: bytes = b"", **headers: str
) -> Any:
    """Return a request as a person's browser would send it, for the application in this process."""
    payload = StreamReader(mock.Mock(_reading_paused=False), 2**16)
    payload.feed_data(body)
    payload.feed_eof()
    jar = person.session.cookie_jar.filter_cookies(URL(person.gateway_url + path))
    sent = {
        "Host": URL(person.gateway_url).authority,
        "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()),
        "X-CSRF": "1",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return make_mocked_request(method, path, headers=sent, payload=payload, app=world.app)


@asynccontextmanager
async def nothing_unheard() -> AsyncIterator[None]:
    """Assert that no task or future of the block ends with an exception that nobody looks at."""
    loop = asyncio.get_running_loop()
    unheard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: unheard.append(context))
    try:
        yield
        gc.collect()
        await asyncio.sleep(0)
        assert unheard == []
    finally:
        loop.set_exception_handler(None)


async def was_cancelled(world: World, request: Any, k: int) -> bool:
    """Run the request with a cancellation at its k-th await; False when it has fewer than that."""
    driver = CancelledAt(world.app._handle(request), k)

    async def drive() -> web.StreamResponse:
        return await driver

    task = asyncio.create_task(drive())
    async with asyncio.timeout(SECONDS):
        await asyncio.wait([task])
        await broker_of(world).settle(SECONDS)
    if task.cancelled():
        return True
    assert task.result().status < 400
    assert driver.suspensions < k, "a cancellation was swallowed"
    return False


async def at_every_await(world: World, trial: Callable[[int], Awaitable[bool]]) -> None:
    """Repeat a trial with k = 1, 2, … until it is not cancelled any more."""
    for k in range(1, MOST_AWAITS):
        async with nothing_unheard():
            went_on = not await trial(k)
            await asyncio.sleep(0.01)
            assert await violations(world.redis, vault_of(world)) == [], k
            await drop_leases(world.redis)
        if went_on:
            assert k > 2, "something was awaited: what is read, and what is written"
            return
    raise AssertionError("there is no end of awaits")


async def works(person: OtherFrontEnd) -> bool:
    """Tell whether the session is alive."""
    return (await person.call("GET", "/api/profile")).status == 200


@pytest.fixture
async def ada(world: World) -> OtherFrontEnd:
    """Ada, at an authority where a refresh token works once."""
    await world.admin("PUT", "/settings", {"rotate_refresh_tokens": True})
    return await world.signed_in()


async def test_R9_the_callback_of_a_sign_in(world: World) -> None:
    async def trial(k: int) -> bool:
        person = await world.front_end()
        page = await person.leave("/auth/sign-in?return_to=/edit")
        page = await person.visitor.submit(page, email=ADA[0], password=ADA[1])
        codes = await world.asked("token.authorization_code")
        form = urlencode(page.form.inputs).encode()
        kind = {"Content_Type": "application/x-www-form-urlencoded"}

        cancelled = await was_cancelled(
            world, asked(world, person, "POST", "/auth/callback", form, **kind), k
        )

        led = await person.come_back(page)
        assert led == "/edit" or led.startswith("/problem?type=sign-in-expired"), led
        assert await world.asked("token.authorization_code") <= codes + 1, "a code is redeemed once"
        assert led == "/edit" or await person.sign_in() == "/edit"
        assert await works(person)
        return cancelled

    await at_every_await(world, trial)


async def test_R9_the_callback_of_a_step_up(world: World, ada: OtherFrontEnd) -> None:
    async def trial(k: int) -> bool:
        before = SessionCookie.parse(ada.cookie())
        assert before is not None
        page = await ada.leave(STEP_UP)
        if "state" not in page.form.inputs:
            page = await ada.visitor.submit(page, code=await ada.visitor.newest_code(ADA[0]))
        form = urlencode(page.form.inputs).encode()
        kind = {"Content_Type": "application/x-www-form-urlencoded"}

        cancelled = await was_cancelled(world, asked(world, ada, "POST", "/auth/callback", form, **kind), k)

        reason = await vault_of(world).ends.reason(before.ref)
        assert reason in {None, "rotated"}
        assert await works(ada) == (reason is None), "the session of before lives unless a new one does"
        if reason:
            await ada.sign_in()
        return cancelled

    await at_every_await(world, trial)


async def test_R9_a_refresh(world: World, ada: OtherFrontEnd) -> None:
    async def trial(k: int) -> bool:
        await world.admin("DELETE", "/requests")
        await end_of_token(world, ada, 0)

        cancelled = await was_cancelled(world, asked(world, ada, "GET", "/api/profile"), k)

        await drop_leases(world.redis)
        assert await works(ada), "what was redeemed is not lost"
        assert await world.asked("token.refresh_token") == 1, "and was redeemed once"
        return cancelled

    await at_every_await(world, trial)


async def test_R9_an_edit(world: World, ada: OtherFrontEnd) -> None:
    await ada.step_up(STEP_UP)
    kind = {"Content_Type": "application/json"}

    async def trial(k: int) -> bool:
        city, key = f"City {k}", {"Idempotency-Key": f"key-{k}"}
        body = b'{"city": "%s"}' % city.encode()
        request = asked(
            world, ada, "PATCH", "/api/profile", body, Idempotency_Key=key["Idempotency-Key"], **kind
        )

        cancelled = await was_cancelled(world, request, k)

        await drop_leases(world.redis)
        again = await ada.call("PATCH", "/api/profile", {"city": city}, headers=key)
        assert (again.status, again.body["city"]) == (200, city)
        return cancelled

    await at_every_await(world, trial)


async def test_R9_applying_a_parked_edit(world: World) -> None:
    async def trial(k: int) -> bool:
        city = f"City {k}"
        person = await world.signed_in()  # whom the authority has not confirmed yet
        refused = (await person.call("PATCH", "/api/profile", {"city": city})).body
        await person.step_up(f"{refused['redirect']}&return_to=/check")
        path = f"/api/parked-edits/{refused['parked_edit']['id']}"

        cancelled = await was_cancelled(world, asked(world, person, "POST", path), k)

        await drop_leases(world.redis)
        again = await person.call("POST", path)
        assert again.status in {200, 404}
        held = (await world.admin("GET", f"/people/{ADA[0]}/profile"))["city"]
        assert held == city, "it is applied, or waits to be"
        return cancelled

    await at_every_await(world, trial)


async def test_R9_a_sign_out(world: World, ada: OtherFrontEnd) -> None:
    async def trial(k: int) -> bool:
        held = {"Cookie": f"{COOKIE}={ada.cookie()}"}

        cancelled = await was_cancelled(world, asked(world, ada, "POST", "/auth/sign-out"), k)

        assert (await ada.call("POST", "/auth/sign-out", headers=held)).status == 200
        gone = await ada.call("GET", "/api/profile", headers=held)
        assert (gone.status, gone.body["reason"]) == (401, "signed-out")
        await ada.sign_in()
        return cancelled

    await at_every_await(world, trial)
