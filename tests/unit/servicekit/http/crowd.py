"""A service with four places and a line for one, and a crowd that asks it (L1)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from servicekit.http.admission import Admission, RequestNumbers, give_place_back
from servicekit.http.bodies import read_bytes
from servicekit.problems import problems_middleware
from tests.stage.patience import PATIENCE
from tests.stage.ports import free_port
from tests.stage.world import served

MOST = 4
LINE = 1


@dataclass
class Told:
    """What whoever counts was told last."""

    in_work: int = 0
    waiting: int = 0
    refused: int = 0
    most_in_work: int = 0

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()

    def request_numbers(self, _places: str) -> RequestNumbers:
        return _ToldNumbers(self)

    def tell(self, *, in_work: int, waiting: int) -> None:
        self.in_work, self.waiting = in_work, waiting
        self.most_in_work = max(self.most_in_work, in_work)
        self._changed.set()

    def request_refused(self, _places: str) -> None:
        self.refused += 1

    async def comes_to(self, *, in_work: int, waiting: int = 0) -> None:
        """Wait until so many are worked on and so many wait."""
        async with asyncio.timeout(PATIENCE):
            while (self.in_work, self.waiting) != (in_work, waiting):
                self._changed.clear()
                await self._changed.wait()


class _ToldNumbers(RequestNumbers):
    """Tells of each change."""

    def __init__(self, told: Told) -> None:
        self._told = told
        super().__init__()

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        if hasattr(self, "waiting"):
            self._told.tell(in_work=self.in_work, waiting=self.waiting)


class Service:
    """A service whose handlers wait until the test lets them go on."""

    def __init__(self, url: str, told: Told) -> None:
        self.url = url
        self.told = told
        self.go_on = asyncio.Event()
        self.begun = 0
        self.reading = asyncio.Semaphore(0)

    async def work(self, _request: web.Request) -> web.Response:
        self.begun += 1
        await self.go_on.wait()
        return web.Response(text="done")

    async def read(self, request: web.Request) -> web.Response:
        self.reading.release()
        return web.Response(text=str(len(await read_bytes(request))))

    async def listen(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        give_place_back(request)
        await self.go_on.wait()
        return response

    async def large(self, _request: web.Request) -> web.Response:
        return web.Response(body=bytes(50_000_000))


def admitted_to(places: Admission) -> Middleware:
    """Return what gives each request but those after its health a place, as a service's pipeline does."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/health":
            return await handler(request)
        place = places.free_place(request) or await places.place(request)
        try:
            return await handler(request)
        finally:
            place.give_back()

    return middleware


@asynccontextmanager
async def serving(wait: float) -> AsyncIterator[Service]:
    """Serve with four places and a line for one; `wait` is how many seconds the line waits."""
    told, port = Told(), free_port()
    service = Service(f"http://localhost:{port}", told)
    places = Admission("work", MOST, wait=wait, counts=told)
    app = web.Application(
        middlewares=[
            problems_middleware(),
            admitted_to(places),
        ]
    )
    app.router.add_get("/work", service.work)
    app.router.add_post("/read", service.read)
    app.router.add_get("/listen", service.listen)
    app.router.add_get("/large", service.large)
    app.router.add_get("/health", service.work)
    async with served(app, port, "localhost", service="gateway"):
        yield service
        service.go_on.set()


def asking(client: aiohttp.ClientSession, service: Service, path: str = "/work") -> asyncio.Task[int]:
    """Ask, and return the status when it comes."""

    async def ask() -> int:
        async with client.get(service.url + path) as answer:
            await answer.read()
            return answer.status

    return asyncio.create_task(ask())
