"""What servers say of themselves.

Owns the questions: to one server, or to each master of a cluster. Never judges an answer.
"""

from typing import Any

from redis.exceptions import NoPermissionError, ResponseError

from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster


async def info(client: GuardedRedis | GuardedCluster, section: str) -> list[dict[str, Any]]:
    """Return a section of INFO of each server; raises RedisError, ResponseError where we may not ask."""
    if isinstance(client, GuardedRedis):
        return [await client.info(section)]
    sections = await client.execute_command("INFO", section, target_nodes=GuardedCluster.PRIMARIES)
    several = isinstance(sections, dict) and all(isinstance(one, dict) for one in sections.values())
    return list(sections.values()) if several else [sections]


async def memory(client: GuardedRedis | GuardedCluster) -> list[tuple[int, int]] | None:
    """Return of each server how many bytes it uses, and how many it may, 0 for any number.

    None where we may not ask; raises RedisError when nobody answers.
    """
    try:
        sections = await info(client, "memory")
    except NoPermissionError:
        return None
    return [(int(one.get("used_memory", 0)), int(one.get("maxmemory", 0))) for one in sections]


async def eviction_policies(client: GuardedRedis | GuardedCluster) -> set[str]:
    """Return what the servers do when their memory is full, as `maxmemory-policy` says it.

    CONFIG is asked where INFO is forbidden or does not say. Empty where neither tells; raises RedisError when nobody
    answers.
    """
    try:
        policies = {str(one.get("maxmemory_policy", "")) for one in await info(client, "memory")}
        if "" not in policies:
            return policies
    except ResponseError:
        pass
    try:
        return await _configured(client)
    except ResponseError:
        return set()


async def _configured(client: GuardedRedis | GuardedCluster) -> set[str]:
    name = "maxmemory-policy"
    if isinstance(client, GuardedRedis):
        answers: list[Any] = [await client.config_get(name)]
    else:
        answer = await client.execute_command("CONFIG GET", name, target_nodes=GuardedCluster.PRIMARIES)
        answers = [answer] if name in answer else list(answer.values())
    policies = {_text(one.get(name) or one.get(name.encode(), "")) for one in answers}
    return set() if "" in policies else policies


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value
