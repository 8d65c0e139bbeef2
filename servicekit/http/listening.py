"""A service's listening socket.

Owns which address is listened at, and the sentence about one that cannot be had.
Never accepts a connection, and imports nothing of a server: a parent of workers listens, too.
"""

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

_BACKLOG: Final = 1024


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises OSError when the address is taken or is not ours.

    A name with addresses of both families is listened to by IPv4. Port 0 takes a free one.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family = min((address[0] for address in addresses), key=lambda kind: kind != socket.AF_INET)
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def cannot_listen(service: str, host: str, port: int, error: OSError) -> str:
    """Return the sentence for whoever started `service` at an address that cannot be had."""
    reason = str(error.strerror).partition(" (")[0]  # without Python's repetition of the address
    return f"The {service} cannot listen on {host}:{port}: {reason}."


class AddressNotToBeHad(Exception):
    """There is no listening at an address; the text is the sentence for whoever started the service."""


def listening_sockets(
    service: str, addresses: Iterable[tuple[str, int]], closing: ExitStack
) -> list[socket.socket]:
    """Return a listening socket for each address, to be closed by `closing`; raises AddressNotToBeHad."""
    sockets: list[socket.socket] = []
    for host, port in addresses:
        try:
            sockets.append(closing.enter_context(listening_socket(host, port)))
        except OSError as error:
            raise AddressNotToBeHad(cannot_listen(service, host, port, error)) from error
    return sockets
