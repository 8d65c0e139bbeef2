"""The renewals that are under way in this process: one for each session and resource, whoever wants it.

Owns that waiting requests share one, that a renewal beside the use of a token is started once, and not again at once
when it failed, and that all of them end before the process does.
Never decides whether one is due, and never speaks to the authority or to Redis; `refresh.py` does.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Final

from gateway.session.cookie import current_request
from gateway.session.sessions import LiveSession
from gateway.tokens.access_token import AccessToken
from gateway.tokens.refresh import SilentRefresh
from gateway.tokens.resources import Resource
from servicekit.http.admission import lent_place
from servicekit.logs import log_event
from servicekit.reference import current_reference

_LONGEST_PAUSE: Final = 10
_MOST_PAUSES: Final = 10_000

_Key = tuple[str, str]

_log = logging.getLogger(__name__)


class Renewals:
    """Runs renewals as tasks: whoever leaves takes no token along. `now` is the wall clock in seconds."""

    def __init__(self, refresh: SilentRefresh, *, now: Callable[[], float]) -> None:
        self._refresh = refresh
        self._now = now
        self._waited_for: dict[_Key, asyncio.Task[AccessToken]] = {}
        self._beside: dict[_Key, asyncio.Task[AccessToken | None]] = {}
        self._not_before: dict[_Key, float] = {}

    async def wait(self, session: LiveSession, resource: Resource) -> AccessToken:
        """Return a new token, by the renewal that is under way or by one of one's own.

        The request lends its place meanwhile: a thousand that wait for the authority keep nobody else out.
        Raises as `SilentRefresh.access_token` does.
        """
        request = current_request()
        async with lent_place(request) if request else contextlib.nullcontext():
            return await self._joined_or_own(session, resource)

    async def _joined_or_own(self, session: LiveSession, resource: Resource) -> AccessToken:
        key = (str(session.ref), resource.key)
        if beside := self._beside.get(key):
            _tell_joined(beside)
            token = await asyncio.shield(beside)
            if token:
                return token
        task = self._waited_for.get(key)
        if task is None:
            task = asyncio.create_task(
                self._refresh.access_token(session, resource), name=current_reference()
            )
            self._waited_for[key] = task
            task.add_done_callback(lambda done: _forget(self._waited_for, key, done))
        else:
            _tell_joined(task)
        # Shielded: a caller that goes away must not take a token with it that was redeemed already.
        return await asyncio.shield(task)

    def start_beside(self, session: LiveSession, resource: Resource, token: AccessToken) -> None:
        """Renew a token that lives, unless that is under way or was tried a moment ago; whoever asked does not wait.

        The pause is half of what is left of the token's life, ten seconds at most. It is this process's own, for a
        Redis that can't be written; what all processes know of a refusal is in its record.
        """
        key, now = (str(session.ref), resource.key), self._now()
        if key in self._beside or key in self._waited_for or self._is_paused(key, now):
            return
        self._drop_ended_pauses(now)
        self._not_before[key] = now + min((token.expires_at - now) / 2, _LONGEST_PAUSE)
        task = asyncio.create_task(self._refresh.renew_beside(session, resource), name=current_reference())
        self._beside[key] = task
        task.add_done_callback(lambda done: _forget(self._beside, key, done))

    async def settle(self, seconds: float) -> None:
        """Let what is under way end, and what it brings be kept, for at most `seconds`."""
        if tasks := [*self._waited_for.values(), *self._beside.values()]:
            await asyncio.wait(tasks, timeout=seconds)

    def _is_paused(self, key: _Key, now: float) -> bool:
        """Tell whether a pause is still running; one that a clock which was set back made longer is over."""
        return 0 < self._not_before.get(key, now) - now <= _LONGEST_PAUSE

    def _drop_ended_pauses(self, now: float) -> None:
        if len(self._not_before) >= _MOST_PAUSES:
            self._not_before = {key: until for key, until in self._not_before.items() if now < until}


def _tell_joined(task: asyncio.Task[Any]) -> None:
    """Log which request's lines tell of a renewal that this one shares."""
    log_event(_log, logging.INFO, "renewal-joined", begun_by=task.get_name())


def _forget(tasks: dict[_Key, Any], key: _Key, task: asyncio.Task[Any]) -> None:
    del tasks[key]
    if not task.cancelled():
        task.exception()  # whoever waited has it; nobody may be left to ask
