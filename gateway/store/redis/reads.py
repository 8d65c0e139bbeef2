"""The reads that share a connection: values of a hash, and what is asked along with them.

Owns what an answer must look like to be believed. Never decides whether anything is asked.
"""

from typing import Any

from gateway.errors import SessionStoreUnavailable
from gateway.store.redis.budget import current_budget
from gateway.store.redis.faults import FAULTS, as_unavailable
from gateway.store.redis.shared_commands import SharedCommands
from gateway.store.redis.shared_connection import Along


class Reads(SharedCommands):
    """Reads by the shared connection, within the budget of the request that is being served."""

    @property
    def is_in_use(self) -> bool:
        """Whether the server is not left alone for having failed several times in a row."""
        return self._breaker.is_closed

    def ask_along(self, along: Along) -> None:
        """Ask something with the commands of others."""
        self.connection.along = along

    async def values(self, command: bytes, count: int) -> list[bytes | None]:
        """Return the answer to a packed command that asks for so many values; raises SessionStoreUnavailable."""
        budget = current_budget()
        try:
            if budget is not None and self._has_time(budget):
                answer = await self.connection.send(command, budget)
            else:
                (answer,) = await self.ask_all([command])
        except FAULTS as error:
            raise as_unavailable(error) from error
        return self.checked(answer, count)

    def checked(self, answer: Any, count: int) -> list[bytes | None]:
        """Return an answer that has so many values; raises SessionStoreUnavailable for any other one."""
        if type(answer) is list and len(answer) == count:
            return answer
        self.connection.leave_now()  # what comes next by it may be the answer to anything
        raise SessionStoreUnavailable("its answer is not one to what was asked")
