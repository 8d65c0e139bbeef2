"""The doctor's look at Redis: whether it is there, may be written, and keeps what it is given.

Owns the questions to the server about itself, which the gateway never asks when it serves. A user with the rights that
docs/how-to/redis.md recommends may not ask them: that is said, and is no fault.
Leaves nothing behind: the one record that it writes is taken again, and has a life of ten seconds.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)

from gateway.errors import SessionStoreUnavailable
from gateway.settings import Settings
from gateway.store.hints import CHANNEL
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import redis_client
from gateway.store.redis.server_facts import info
from gateway.store.redis_clock import RedisClock
from gateway.store.sealing import KeyRing
from gateway.store.single_records import SingleRecords
from gateway.store.vault import Vault
from servicekit.clock_watch import TOLERATED_SECONDS
from servicekit.doctor.findings import Finding, Status, fault, not_looked_at, ok, plain_reason, warning

REDIS: Final = "Redis"
RECORDS: Final = "Redis records"
VERSION: Final = "Redis version"
CLOCK: Final = "Redis clock"
EVICTION: Final = "Redis eviction"
PERSISTENCE: Final = "Redis persistence"
EVENTS: Final = "Redis events"
CHECKS: Final = (REDIS, RECORDS, CLOCK, VERSION, EVICTION, PERSISTENCE, EVENTS)

_SLOW_MILLISECONDS: Final = 50
_OLDEST: Final = 7
_SECTIONS: Final = {VERSION: "server", EVICTION: "memory", PERSISTENCE: "persistence"}
_LOOK: Final = {
    VERSION: "As the server's administrator: INFO server must say redis_version 7.0 or newer.",
    EVICTION: "As the server's administrator: CONFIG GET maxmemory-policy must say noeviction.",
    PERSISTENCE: "As the server's administrator: CONFIG GET appendonly should say yes.",
}


async def look_at_redis(settings: Settings, *, now: Callable[[], float] = time.time) -> list[Finding]:
    """Look at the server, and write and take one record as the gateway would; `now` is the wall clock in seconds."""
    # In a thread, because it reads the files of authorities.
    client = await asyncio.to_thread(
        redis_client,
        settings.redis_url.get_secret_value(),
        password_file=settings.redis_password_file,
        ca_bundle=settings.redis_ca_bundle or settings.ca_bundle,
    )
    try:
        there = await _reachable(client)
        if there.status is Status.FAULT:
            return [there, *(not_looked_at(check, REDIS) for check in CHECKS[1:])]
        clock = RedisClock(now=now)
        vault = Vault(client, KeyRing(settings.ring), now=clock)
        own = [await _records(vault), await _clock(vault, clock, now)]
        looks = [await _look_at(client, check) for check in _SECTIONS]
        return [there, *own, *looks, await _events(client)]
    finally:
        await client.aclose()


async def _reachable(client: GuardedRedis | GuardedCluster) -> Finding:
    try:
        await client.ping()  # opens the connection, which is not what is measured
        begun = time.perf_counter()
        await client.ping()
    except AuthenticationError:
        return fault(
            REDIS,
            "the server of GATEWAY_REDIS_URL refuses the user or the password",
            "Compare GATEWAY_REDIS_URL, or GATEWAY_REDIS_PASSWORD_FILE, with the server's users (ACL LIST).",
        )
    except NoPermissionError:
        return fault(REDIS, "the user of GATEWAY_REDIS_URL may not even ask PING", _RIGHTS)
    except RedisError as error:
        return fault(
            REDIS,
            f"the server of GATEWAY_REDIS_URL cannot be used: {plain_reason(error, _named(error))}",
            "Start the server, compare GATEWAY_REDIS_URL, and look at firewalls; for TLS also at "
            "GATEWAY_REDIS_CA_BUNDLE.",
        )
    milliseconds = (time.perf_counter() - begun) * 1000
    if milliseconds > _SLOW_MILLISECONDS:
        return warning(
            REDIS,
            f"answers in {milliseconds:.0f} ms; every request with a session waits for it",
            "Run Redis near the gateway: in the same region and zone.",
        )
    return ok(REDIS, f"answers in {milliseconds:.1f} ms")


_RIGHTS: Final = "Give the user the rights that docs/how-to/redis.md lists under Least rights."


def _named(error: RedisError) -> str:
    return f"{type(error).__name__} of the connection"


async def _records(vault: Vault) -> Finding:
    owner, value, records = secrets.token_urlsafe(16), b"doctor", SingleRecords(vault)
    try:
        await records.put("doctor", owner, value, ttl=10)
        taken = await records.take("doctor", owner)
    except SessionStoreUnavailable as error:
        name = error.log_detail
        causes = {
            NoPermissionError.__name__: ("the user may not write records", _RIGHTS),
            "OutOfMemoryError": ("the server's memory is full", "Give it more memory (maxmemory)."),
            "ReadOnlyError": (
                "the server is a replica, which takes no writes",
                "Let GATEWAY_REDIS_URL name the master, or use redis+sentinel://.",
            ),
        }
        cause, fix = causes.get(name, (f"writing a record failed ({name})", "Look at the server's log."))
        return fault(RECORDS, cause, fix)
    if taken != value:
        return fault(
            RECORDS,
            "a record that was just written is not there",
            "Let GATEWAY_REDIS_URL name one server, and not several behind one address.",
        )
    return ok(RECORDS, "one was sealed, written, taken and opened")


async def _clock(vault: Vault, clock: RedisClock, now: Callable[[], float]) -> Finding:
    try:
        theirs = await vault.time()
    except SessionStoreUnavailable as error:
        return warning(CLOCK, f"reading from it failed ({error.log_detail})", "Look at the server's log.")
    if not clock.is_heard:
        return warning(
            CLOCK, "the user may not ask for the time, so sessions live by this machine's clock", _RIGHTS
        )
    ahead = round(now() - theirs)
    if abs(ahead) > TOLERATED_SECONDS:
        way = "ahead of" if ahead > 0 else "behind"
        return warning(
            CLOCK,
            f"this machine's clock is {abs(ahead)} s {way} that of Redis, by which sessions live",
            "Set the clocks of both machines by NTP.",
        )
    return ok(CLOCK, f"{abs(ahead)} s apart")


async def _look_at(client: GuardedRedis | GuardedCluster, check: str) -> Finding:
    try:
        sections = await info(client, _SECTIONS[check])
    except ResponseError:  # also NoPermissionError; some services have no INFO at all
        return warning(
            check, "not allowed to look, which is as it should be for the gateway's user", _LOOK[check]
        )
    except RedisError as error:
        return warning(check, f"the server did not say: {plain_reason(error, _named(error))}", _LOOK[check])
    return {VERSION: _version, EVICTION: _eviction, PERSISTENCE: _persistence}[check](sections)


async def _events(client: GuardedRedis | GuardedCluster) -> Finding:
    """Hear what is published on a channel of our own, as every process does while pages listen."""
    late = "pages that are open hear of a change some seconds later"
    channel = f"{CHANNEL}:doctor-{secrets.token_urlsafe(12)}"
    ear: Any = await client.new_connection()
    mouth: Any = await client.new_connection()
    try:
        for connection, *command in ((ear, "SUBSCRIBE", channel), (mouth, "PUBLISH", channel, "doctor")):
            await connection.connect()
            await connection.send_command(*command)
            await connection.read_response(disable_decoding=True)
        heard = await ear.read_response(disable_decoding=True)
    except NoPermissionError:
        return warning(EVENTS, f"the user may not PUBLISH and SUBSCRIBE on {CHANNEL}: {late}", _RIGHTS)
    except RedisError as error:
        return warning(
            EVENTS, f"what is published is not heard: {plain_reason(error, _named(error))}; {late}", _LATE
        )
    finally:
        await ear.disconnect(nowait=True)
        await mouth.disconnect(nowait=True)
    return ok(EVENTS, "what is published is heard") if heard[2] == b"doctor" else warning(EVENTS, late, _LATE)


_LATE: Final = (
    "Look at the server's log, and whether something between it and the gateway drops what is published."
)


def _version(sections: list[dict[str, Any]]) -> Finding:
    versions = [str(one.get("redis_version", "")) for one in sections]
    names = {f"Valkey {one['valkey_version']}" for one in sections if "valkey_version" in one}
    shown = ", ".join(sorted(names or set(versions)))
    majors = [int(version.partition(".")[0]) for version in versions if version.partition(".")[0].isdigit()]
    if len(majors) != len(sections):
        return warning(VERSION, "the server does not say which version it has", _LOOK[VERSION])
    if min(majors) < _OLDEST:
        return warning(VERSION, f"{shown}; nothing older than {_OLDEST}.0 was tried", "Use a newer server.")
    return ok(VERSION, shown)


def _eviction(sections: list[dict[str, Any]]) -> Finding:
    policies = {str(one.get("maxmemory_policy", "")) for one in sections}
    if policies == {"noeviction"}:
        return ok(EVICTION, "maxmemory-policy is noeviction")
    if "" in policies:
        return warning(EVICTION, "the server does not say what it does when memory is full", _LOOK[EVICTION])
    return fault(
        EVICTION,
        f"maxmemory-policy is {', '.join(sorted(policies - {'noeviction'}))}: a full memory signs people out",
        "Set maxmemory-policy noeviction in the server's configuration.",
    )


def _persistence(sections: list[dict[str, Any]]) -> Finding:
    logs = {str(one.get("aof_enabled", "")) for one in sections}
    if logs == {"1"}:
        return ok(PERSISTENCE, "appendonly is on")
    if "" in logs:
        return warning(PERSISTENCE, "the server does not say whether it keeps a log", _LOOK[PERSISTENCE])
    return warning(
        PERSISTENCE,
        "appendonly is off: a restart of the server signs everybody out",
        "Set appendonly yes in the server's configuration.",
    )
