"""A service while it serves: from its first connection to the last, with settings that may change meanwhile.

Owns the order of the end: readiness says so and connections are still taken, then none is, then what is under way is
finished, then everything is closed; and that new settings make a new application, which the next request meets.
Never reads settings, never makes an application by itself, and decides neither when to end nor an exit status.
"""

import asyncio
import contextlib
import functools
import logging
import socket
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, TypeVar

from aiohttp import web

from servicekit.authority_settings import AuthoritySettings
from servicekit.garbage import collect_seldom
from servicekit.http.life import LIFE
from servicekit.http.orders import Orders
from servicekit.http.quiet_server import QuietRunner
from servicekit.http.serving import server_tls, serving
from servicekit.logs import configure_logs, log_event
from servicekit.settings_faults import SettingsFault

S = TypeVar("S", bound=AuthoritySettings)

# What is taken when the process starts, and not again.
FIXED: Final = frozenset(
    {"host", "port", "admin_host", "admin_port", "workers", "keep_alive_seconds", "audit_file", "audit_keys"}
)

_log = logging.getLogger(__name__)


class Service(Generic[S]):
    """One process's service.

    `runner_of` returns what serves an application with the first settings, `app_of` makes an application; `pem_of` says
    where the certificate lies that the service proves itself by, if it does. `fixed` are the settings that stay what
    they were at the start. `on_change` is told the names of those that are others from now on.
    """

    def __init__(
        self,
        settings: S,
        orders: Orders,
        *,
        app_of: Callable[[S], web.Application],
        runner_of: Callable[[web.Application, S], QuietRunner],
        pem_of: Callable[[S], str | None] = lambda _: None,
        fixed: frozenset[str] = FIXED,
        on_change: Callable[[frozenset[str]], None] = lambda _: None,
    ) -> None:
        self.runner = runner_of(app_of(settings), settings)
        self._settings = settings
        self._orders = orders
        self._app_of = app_of
        self._pem_of = pem_of
        self._fixed = fixed
        self._on_change = on_change
        pem = pem_of(settings)
        self._tls = server_tls(pem) if pem else None
        self._given: asyncio.Queue[S] = asyncio.Queue()
        self._exchanging = asyncio.Lock()

    def use(self, settings: S) -> None:
        """Serve with these settings from now on, as soon as an application is made of them."""
        self._given.put_nowait(settings)

    @contextlib.asynccontextmanager
    async def listening(
        self, listener: socket.socket, *beside: tuple[web.BaseRunner, socket.socket]
    ) -> AsyncIterator[None]:
        """Serve at `listener`, and others `beside`, until the process is told to end; the block runs at the beginning.

        What is served beside stays until nobody is answered at `listener` any more.
        """
        collect_seldom()
        async with serving((self.runner, listener), *beside, tls=self._tls):
            following = asyncio.create_task(self._follow())
            try:
                yield
                await self._orders.stopping.wait()
                delay = 0 if self._orders.hurried.is_set() else self._settings.shutdown_delay_seconds
                log_event(_log, logging.INFO, "stopping", seconds=delay)
                async with self._exchanging:
                    following.cancel()
                self.runner.app[LIFE].stop()
                self.runner.close_after_answers()
                await self._orders.announced(delay)
                await self.runner.drain(listener, self._orders.abandoned)
            finally:
                following.cancel()

    async def _follow(self) -> None:
        while True:
            settings = await self._given.get()
            if self._given.empty():
                async with self._exchanging:
                    await self._take_up(settings)

    async def _take_up(self, settings: S) -> None:
        try:
            pem = self._pem_of(settings)
            if pem and self._tls:
                await asyncio.to_thread(server_tls, pem)  # as a whole, before a part of it is in use
                await asyncio.to_thread(self._tls.load_cert_chain, pem, password="")
            # It reads files, and requests go on meanwhile.
            await self.runner.exchange(await asyncio.to_thread(self._app_of, settings))
        except Exception as error:  # noqa: BLE001 - whatever it is, who is served now must not feel it
            log_event(_log, logging.ERROR, "reload-failed", fault=error)
            return
        changed = changed_names(self._settings, settings)
        self._settings = settings
        tell = functools.partial(
            log_event, _log, logging.INFO, "reloaded", changed=sorted(changed - self._fixed)
        )
        is_heard = _log.isEnabledFor(logging.INFO)
        self._on_change(frozenset(changed - self._fixed))
        if is_heard:  # it may be the last line of its level
            tell()
        configure_logs(level=settings.log_level)
        if not is_heard:
            tell()
        if changed & self._fixed:
            log_event(_log, logging.WARNING, "reload-needs-restart", settings=sorted(changed & self._fixed))


def changed_names(before: AuthoritySettings, now: AuthoritySettings) -> set[str]:
    """Return the names of the settings that are not what they were."""
    return {name for name in type(now).model_fields if getattr(before, name) != getattr(now, name)}


def rereading(load: Callable[[], S], use: Callable[[S], None]) -> Callable[[], None]:
    """Return what hands the settings of now to `use`, each time that it is called, in a moment.

    `load` reads files, and raises SettingsFault for settings that can't be used: they are told of, and change nothing.
    """
    under_way: set[asyncio.Task[None]] = set()

    def ask() -> None:
        task = asyncio.create_task(_reread(load, use))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    return ask


async def _reread(load: Callable[[], S], use: Callable[[S], None]) -> None:
    try:
        settings = await asyncio.to_thread(load)
    except SettingsFault as fault:
        log_event(_log, logging.ERROR, "reload-refused", faults=fault.lines)
    else:
        use(settings)
