"""Scripts by a connection of the pool: packed in C, sent in one write, and answered in their order.

Owns what redis-py's client does around a command and a pipeline, for what is neither repeated nor read in any way but
its own: with a task, several time-outs and the packing in Python it cost a sign-in a tenth of its computing time.
Never chooses a server, never sends anything again, and decides nothing by an answer.
"""

from collections.abc import Sequence
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from gateway.store.redis.budget import LIMITS
from servicekit.remote_timeout import RemoteTimeout


async def exchange(pool: ConnectionPool, commands: Sequence[bytes]) -> list[Any]:
    """Send packed commands by one connection; return the answer to each, a ResponseError in the place of a refusal.

    Raises RedisError, OSError. A connection that broke, or whose caller left, goes back closed: no answer waits there.
    """
    connection: AbstractConnection = pool.get_available_connection()  # type: ignore[no-untyped-call]  # redis-py's
    try:
        await pool.ensure_connection(connection)
        return await _answers(connection, commands)
    finally:
        await pool.release(connection)


async def _answers(connection: AbstractConnection, commands: Sequence[bytes]) -> list[Any]:
    """Return the answers; one time-out serves the sending and each answer, in the place of the connection's own."""
    seconds, connection.socket_timeout = connection.socket_timeout, None
    patience, answers = RemoteTimeout(seconds or LIMITS.command), list[Any]()
    try:
        async with patience:
            await connection.send_packed_command(b"".join(commands))
            for _ in commands:
                patience.begin_anew()
                answers.append(await _answer(connection))
    except TimeoutError as error:
        raise RedisTimeoutError("Redis did not answer in time") from error
    finally:
        connection.socket_timeout = seconds
    return answers


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal
