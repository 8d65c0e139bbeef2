"""The process that workers are forked from: it has imported everything, and nothing in it would be copied by half.

Owns the forks, the settings as they are read for all workers, and each worker's exit status. It has one thread, no
event loop and no connection but the one to its parent, and ends with that.
Never serves, takes no signal, and holds no listening socket: those reach a worker by its own pipe (`worker.py`).
"""

import gc
import os
import pickle
import selectors
from collections.abc import Callable
from multiprocessing.connection import Connection

from gateway.operation.forks import (
    Ended,
    Fork,
    Forked,
    Fresh,
    Order,
    Read,
    Refused,
    receive_descriptor,
)
from gateway.settings import Settings
from servicekit.settings_faults import SettingsFault


def serve_forks(
    pipe: Connection, load: Callable[[], Settings], forget: Callable[[int], None]
) -> Connection | None:
    """Fork whenever the parent at `pipe` asks; return in each child its pipe to the parent, and None in the end.

    `load` returns the settings of now or raises SettingsFault; `forget` takes the id of a process that is no more.
    What a child must not have is closed in it.
    """
    # What was made so far is left alone by every collection: a page that nobody writes to is everybody's.
    gc.collect()
    gc.freeze()
    children: dict[int, tuple[int, int]] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        pipe.send(_settings(load))
        while True:
            for key, _ in selector.select():
                if key.fd in children:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    pipe.send(_ended(*children.pop(key.fd)))
                    continue
                try:
                    order: Order = pipe.recv()
                    theirs = receive_descriptor(pipe) if isinstance(order, Fork) else -1
                except (EOFError, OSError):
                    return None
                if isinstance(order, Fork):
                    # The child alone holds the other end, and so its death is what closes it.
                    death, life = os.pipe()
                    pid = _fork()
                    if pid == 0:
                        _close(death, *children)
                        pipe.close()
                        return Connection(theirs)
                    _close(life, theirs)
                    if pid is None:
                        _close(death)
                    else:
                        children[death] = order.number, pid
                        selector.register(death, selectors.EVENT_READ)
                    pipe.send(Forked(order.number, pid))
                elif isinstance(order, Read):
                    pipe.send(_settings(load))
                else:
                    forget(order.pid)


def _fork() -> int | None:
    try:
        return os.fork()
    except OSError:  # no memory, or as many processes as there may be
        return None


def _ended(number: int, pid: int) -> Ended:
    _, status = os.waitpid(pid, 0)
    return Ended(number, os.waitstatus_to_exitcode(status))


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _settings(load: Callable[[], Settings]) -> Fresh | Refused:
    try:
        settings = load()
    except SettingsFault as fault:
        return Refused(fault.lines)
    return Fresh(pickle.dumps(settings), settings.log_level, settings.shutdown_delay_seconds)
