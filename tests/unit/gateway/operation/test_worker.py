"""A worker's end of the pipe to its parent, on the loop that the product runs on and on asyncio's own."""

import asyncio
import os
import socket
import threading
from multiprocessing.connection import Connection, Pipe

import pytest
import uvloop

from gateway.operation.worker import Parent, Place, hand_over
from servicekit.http.listening import listening_socket
from servicekit.http.orders import Orders
from tests.stage.patience import PATIENCE


class Slow(Connection):
    """A parent that is put aside between the place and the sockets that come with it."""

    def send(self, obj: object) -> None:
        super().send(obj)
        # Until the other side has read all that there is, and a little longer than that.
        threading.Event().wait(0.05)


@pytest.mark.parametrize(
    "loop_factory", [uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"]
)
def test_L7_a_worker_waits_for_the_sockets_that_come_behind_its_place(loop_factory: object) -> None:
    ours, theirs = Pipe()
    orders = Orders()

    async def work() -> tuple[Place | None, list[socket.socket]]:
        parent = Parent(theirs, orders)
        async with asyncio.timeout(PATIENCE):
            return await parent.place(), parent.listeners

    with ours, theirs, listening_socket("127.0.0.1", 0) as listener, Slow(os.dup(ours.fileno())) as slow:
        handing = threading.Thread(target=hand_over, args=(slow, Place(1, b""), [listener]))
        handing.start()
        with asyncio.Runner(loop_factory=loop_factory) as runner:  # type: ignore[arg-type]
            place, listeners = runner.run(work())
        handing.join()
        assert place == Place(1, b"")
        assert not orders.stopping.is_set()
        assert [one.getsockname() for one in listeners] == [listener.getsockname()]
        for one in listeners:
            one.close()
