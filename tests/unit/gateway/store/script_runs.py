"""Scripts run by themselves, on a session, an index and a lock that are there (conftest.py)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from gateway.session.cookie import SessionCookie
from gateway.store.names import SessionRef, index_key, lock_key
from tests.unit.gateway.store_of_tests import NOW

MS = int(NOW * 1000)
OLD = SessionCookie.new().ref
NEW = SessionRef(OLD.family, "00ff" * 16)
LOCK = lock_key(OLD, "work")
INDEXED = index_key("person", "ada")
ENDS, ENDED = b"%d" % (MS + 1000), b"%d" % (MS - 1000)
TOMBSTONE_SECONDS = 900
ROOM = 100_000


@dataclass(frozen=True)
class Call:
    """A script with what it is given."""

    script: str
    keys: Sequence[str]
    arguments: Sequence[Any] = ()


async def run(client: Redis, call: Call) -> Any:
    """Return what the script says; without the time that some tell first, which is the server's own."""
    began = time.time()
    asked: Any = client.eval(call.script, len(call.keys), *call.keys, *call.arguments)
    answer = await asked
    if not isinstance(answer, list) or "'TIME'" not in call.script:
        return answer
    assert began - 1 < answer[0] / 1000 < time.time() + 1
    return answer[1:]
