"""Which of redis-py's errors say that a server is not there, and which that it will not.

Owns that distinction alone. Never decides what is done about it.
"""

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from gateway.store.redis.places import OwnDelay


def is_outage(error: BaseException) -> bool:
    """Tell a server that is not there from one that refuses: the latter answers at once, and reads still work."""
    answered = isinstance(error, ResponseError) and not isinstance(error, ClusterDownError | BusyLoadingError)
    return isinstance(error, RedisError) and not answered and not isinstance(error, OwnDelay)


def is_forbidden(error: BaseException) -> bool:
    """Tell whether the server's user has no right to the command."""
    return isinstance(error, NoPermissionError)
