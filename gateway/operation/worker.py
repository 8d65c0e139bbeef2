"""One of several workers: what it hears from its parent, and what it says.

Owns the worker's end of the pipe between the two. Never outlives the parent: the end of the pipe is an order to end,
and the system writes it, however the parent went.
"""

import asyncio
import contextlib
import os
import pickle
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

from servicekit.http.orders import Orders

if TYPE_CHECKING:
    from gateway.settings import Settings


class Word(Enum):
    """What a parent tells a worker beside its settings."""

    STOP = auto()
    HURRY = auto()
    ABANDON = auto()


HERE: Final = "here"
SERVING: Final = "serving"
"""What a worker tells its parent, once each: that it takes its place, and that it answers."""
_MOST_LISTENERS: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the workers one is, from 0, and the settings that it serves with, as the fork server pickled them."""

    number: int
    pickled: bytes

    @property
    def settings(self) -> "Settings":
        """The settings."""
        settings: Settings = pickle.loads(self.pickled)  # noqa: S301 - of our own process, by our own pipe
        return settings


def hand_over(pipe: Connection, place: Place, listeners: Sequence[socket.socket]) -> None:
    """Give a worker its place and the listening sockets.

    Not before it is here: one that looks at no pipe yet would hold the port for a moment after its parent's death.
    """
    pipe.send(place)
    with _socket_of(pipe) as way:
        socket.send_fds(way, [b"\0"], [listener.fileno() for listener in listeners])


def _socket_of(pipe: Connection) -> socket.socket:
    return socket.fromfd(pipe.fileno(), socket.AF_UNIX, socket.SOCK_STREAM)


class Parent:
    """The parent, as a worker sees it: `orders` are what it said."""

    def __init__(self, pipe: Connection, orders: Orders) -> None:
        """Listen from now on; needs a running loop."""
        self._pipe = pipe
        self._orders = orders
        self._place: asyncio.Future[Place | None] = asyncio.get_running_loop().create_future()
        self._on_settings: Callable[[Settings], None] | None = None
        self._missed: Settings | None = None
        self.listeners: list[socket.socket] = []
        """The listening sockets, which come with the place."""
        asyncio.get_running_loop().add_reader(pipe.fileno(), self._hear)
        # libuv takes that from every descriptor that it watches. A message comes in two pieces, and the second one may
        # be a moment late: whoever does not wait for it takes that for the parent's end.
        os.set_blocking(pipe.fileno(), True)

    async def place(self) -> Place | None:
        """Return the worker's place once it has one; None where it has to end before."""
        self._say(HERE)
        return await self._place

    def say_serving(self, on_settings: "Callable[[Settings], None]") -> None:
        """Tell that this worker answers; settings that come from now on are handed to `on_settings`."""
        self._on_settings = on_settings
        if self._missed:
            on_settings(self._missed)
        self._say(SERVING)

    def _say(self, word: str) -> None:
        with contextlib.suppress(OSError):  # the parent is gone, which the pipe's end says as well
            self._pipe.send(word)

    def _hear(self) -> None:
        try:
            message = self._pipe.recv()
        except (EOFError, OSError):
            asyncio.get_running_loop().remove_reader(self._pipe.fileno())
            self._end(self._orders.hurry)
            return
        if isinstance(message, Place):
            if not self._place.done():
                self._take_listeners()
                self._place.set_result(message)
            elif self._on_settings:
                self._on_settings(message.settings)
            else:
                self._missed = message.settings
        else:
            self._end(
                {Word.STOP: self._orders.stop, Word.HURRY: self._orders.hurry}.get(
                    message, self._orders.abandon
                )
            )

    def _take_listeners(self) -> None:
        with _socket_of(self._pipe) as way:
            _, descriptors, _, _ = socket.recv_fds(way, 1, _MOST_LISTENERS)
        self.listeners = [socket.socket(fileno=descriptor) for descriptor in descriptors]

    def _end(self, order: Callable[[], None]) -> None:
        order()
        if not self._place.done():
            self._place.set_result(None)
