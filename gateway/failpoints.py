"""Named points in the code at which a gateway can be told to fail, to prove that nothing is lost there.

Owns the names, the orders and what they do. Nothing happens at a point without an order, and orders are taken in local
work only (see `Settings.faults_between`).
Never decides what a failure means: the code around the point does, as it would for any other.
"""

import asyncio
import os
import re
import signal
from dataclasses import dataclass
from typing import Final

POINTS: Final = {
    "flow-taken": "the journey was taken, nothing is redeemed",
    "code-redeemed": "the authority gave tokens for the code, nothing is judged",
    "person-judged": "the ID token is believed, nothing is kept",
    "session-started": "the new session lies in Redis, the browser has no cookie",
    "token-redeemed": "the authority renewed a token, nothing is kept",
    "cache-kept": "MSAL's cache is kept, the access token is not",
    "parked-claimed": "a parked edit is being applied, nothing is sent",
    "edit-sent": "the profile is changed, nothing of it is kept",
    "redis-write": "a write to a session's records is about to be sent",
}
_ORDER: Final = re.compile(r"([a-z-]+)=(kill|hang|raise|delay:([1-9][0-9]{0,5}))(?:\*([1-9][0-9]{0,2}))?")


class FailpointReached(Exception):  # noqa: N818 - an event, which the code around it must bear like any fault
    """The order at a point was to fail."""


@dataclass(slots=True)
class Order:
    """What to do at a point; `times` is how often, None for always."""

    act: str
    milliseconds: int = 0
    times: int | None = None


class Failpoints:
    """Carries orders by the name of their point; without orders it does nothing."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}

    @classmethod
    def parse(cls, text: str) -> "Failpoints":
        """Read `name=kill`, `name=raise`, `name=hang` or `name=delay:MILLISECONDS`, `*TIMES` after it if not always.

        Raises ValueError with a phrase.
        """
        made = cls()
        for order in filter(None, text.split(",")):
            found = _ORDER.fullmatch(order.strip())
            if found is None or found[1] not in POINTS:
                raise ValueError("is no point with kill, raise, hang or delay:milliseconds")
            act = found[2].partition(":")[0]
            made.arm(
                found[1], act, milliseconds=int(found[3] or 0), times=int(found[4]) if found[4] else None
            )
        return made

    def arm(self, point: str, act: str, *, milliseconds: int = 0, times: int | None = None) -> None:
        """Give the order for a point; KeyError when there is no such point."""
        POINTS[point]
        self._orders[point] = Order(act, milliseconds, times)

    def disarm(self) -> None:
        """Take all orders back."""
        self._orders.clear()

    async def reach(self, point: str) -> None:
        """Be at a point: return at once, unless there is an order. Raises FailpointReached where that is the order."""
        order = self._orders.get(point)
        if order is None or order.times == 0:
            return
        if order.times is not None:
            order.times -= 1
        if order.act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if order.act == "raise":
            raise FailpointReached(point)
        if order.act == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(order.milliseconds / 1000)
