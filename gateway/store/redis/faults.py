"""What Redis raises, in the words of whoever asked.

Owns the translation of any fault into SessionStoreUnavailable. Never tries anything again: `client.py` does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.exceptions import RedisError

from gateway.errors import SessionStoreNotAsked, SessionStoreUnavailable
from gateway.store.redis.places import OwnDelay
from servicekit.tls_refusal import refused_by_tls

FAULTS: Final = (RedisError, OSError, TimeoutError)


@asynccontextmanager
async def redis_faults(*, but: type[RedisError] | None = None) -> AsyncIterator[None]:
    """Translate what Redis raises into SessionStoreUnavailable, `but` for one kind.

    Where we did not give it its time, SessionStoreNotAsked is raised, which is one of that kind.
    """
    try:
        yield
    except FAULTS as error:
        if but and isinstance(error, but):
            raise
        raise as_unavailable(error) from error


def as_unavailable(error: Exception) -> SessionStoreUnavailable:
    """Return what is raised in place of one of the FAULTS."""
    if isinstance(error, OwnDelay):
        return SessionStoreNotAsked(str(error))
    return SessionStoreUnavailable(refused_by_tls(error) or type(error).__name__)
