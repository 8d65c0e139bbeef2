"""The connections that reads of a cluster share: one to each server.

Owns which of them leads to a key. Whatever is not answered plainly (a slot has moved or is on its way, a server is
lost) is left to the general way, which follows redirections and looks for the servers anew.
Never reads from a replica: one that is asked says where the master is.
"""

from collections.abc import Callable
from typing import Final

from redis.exceptions import AskError, ClusterDownError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.faults import FAULTS, as_unavailable
from gateway.store.redis.reads import Reads
from gateway.store.redis.shared_connection import Along

# Of a packed command, by lines: how many words, how long the name, the name, how long the key, the key.
_KEY: Final = 4
# MovedError is an AskError.
_NOT_HERE: Final = (AskError, ClusterDownError, TryAgainError, RedisConnectionError)


class ClusterReads:
    """Asks by the connection that leads to a key's server.

    `server_of` names the server of a key, with no name where none is known; `make` gives the reads of a server, and
    `look_anew` is called where one is silent: whoever waited for it twice has no time left for the general way.
    """

    def __init__(
        self, server_of: Callable[[bytes], str], make: Callable[[str], Reads], look_anew: Callable[[], None]
    ) -> None:
        self._server_of = server_of
        self._look_anew = look_anew
        self._make = make
        self._reads: dict[str, Reads] = {}
        self._along: Along | None = None

    def ask_along(self, along: Along) -> None:
        """Ask something with the commands of others."""
        self._along = along

    async def values(self, command: bytes, count: int) -> list[bytes | None] | None:
        """Return the answer to a packed command that asks for so many values of a key.

        None where the general way may know more; raises SessionStoreUnavailable.
        """
        server = self._server_of(command.split(b"\r\n", _KEY + 1)[_KEY])
        if not server:
            return None
        reads = self._reads.get(server) or self._begin(server)
        if not reads.is_in_use:
            return None  # the general way finds out whether the server is back, or where another one is
        try:
            answer = await reads.ask(command)
        except _NOT_HERE:
            return None
        except FAULTS as error:
            if isinstance(error, RedisTimeoutError):
                self._look_anew()
            raise as_unavailable(error) from error
        return reads.checked(answer, count)

    async def aclose(self) -> None:
        """Close them for good."""
        for reads in self._reads.values():
            await reads.connection.aclose()

    def _begin(self, server: str) -> Reads:
        reads = self._reads[server] = self._make(server)
        if self._along:
            reads.ask_along(self._along)
        return reads
