"""R13: no order of reads and writes by several holders loses an update, weakens a cache or revives a session."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from devstack.embedded_valkey import EmbeddedValkey
from gateway.session.cookie import SessionCookie
from gateway.session.sessions import LiveSession, SessionStore, UserSession
from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.connection import redis_client
from gateway.store.sealing import KeyRing
from gateway.store.vault import Successor, Vault
from gateway.tokens.token_records import CACHE
from tests.stage.stored import stored_cache
from tests.stage.world import PATIENT

NOW = 1_750_000_000.0
HOLDERS = 3

LOAD = st.tuples(st.just("load"), st.integers(0, HOLDERS - 1))
KEEP = st.tuples(st.just("keep"), st.integers(0, HOLDERS - 1))
STEP_UP = st.tuples(st.just("step up"), st.just(0))
END = st.tuples(st.just("end"), st.just(0))


@dataclass
class Holder:
    """Someone who has read the cache, perhaps long ago."""

    session: LiveSession | None = None
    version: int = 0
    held: dict[str, Any] = field(default_factory=dict)


class Run:
    """One sequence, against Valkey and against a model that is too simple to be wrong."""

    def __init__(self, redis: GuardedRedis | GuardedCluster) -> None:
        self._vault = Vault(redis, KeyRing([b"k" * 32]), now=lambda: NOW)
        self._store = SessionStore(self._vault, now=lambda: NOW, idle=600, absolute=6000)
        self._holders = [Holder() for _ in range(HOLDERS)]
        self._counter = 0
        self.session: LiveSession | None = None
        self.confirmed = False
        # The model
        self._content: dict[str, Any] = {}
        self._version = 0

    async def start(self, *, strong: bool) -> None:
        """Start the session, or replace it after a step-up."""
        before = self.session
        user = UserSession(tid="t", oid="o", sub="s", name="Ada", username="ada", created_at=int(NOW))
        self._content, self._version = {"strong": strong, "from": self._next()}, 0
        cookie = SessionCookie.new(before.cookie.family if before else None)
        cache = CACHE.record(json.dumps(self._content).encode(), NOW + 6000)
        successor = None
        if before:
            await before.records.refresh_all()
            _, mark = await before.records.survivors([CACHE])
            successor = Successor(before.ref, mark)
        self.session = await self._store.start(
            user, {CACHE.field(): cache}, cookie=cookie, successor=successor
        )
        assert self.session is not None
        self.confirmed = strong

    async def do(self, what: str, who: int) -> None:
        """Take one step."""
        holder = self._holders[who]
        if what == "step up" and self.session:
            await self.start(strong=True)
        elif what == "end" and self.session:
            await self._store.end(self.session, "signed-out")
            self.session = None
        elif what == "load" and self.session:
            serialized, holder.version = await stored_cache(self.session)
            holder.session, holder.held = self.session, json.loads(serialized or "{}")
            assert holder.held == self._content
        elif what == "keep" and holder.session:
            brought = {"strong": holder.held["strong"], "from": self._next()}
            is_newest = holder.session is self.session and holder.version == self._version
            entry = CACHE.entry(json.dumps(brought).encode(), NOW + 6000)
            swapped = await holder.session.records.swap(CACHE, entry, version=holder.version)
            assert swapped == is_newest
            if swapped:
                self._content, self._version = brought, self._version + 1

    async def judge(self) -> None:
        """Compare the store with the model."""
        if self.session is None:
            for holder in self._holders:
                assert holder.session is None or await self._store.load(holder.session.cookie) is None
            return
        serialized, version = await stored_cache(self.session)
        held = json.loads(serialized or "{}")
        assert (held, version) == (self._content, self._version)
        assert held["strong"] == self.confirmed

    def _next(self) -> int:
        self._counter += 1
        return self._counter


@settings(max_examples=250)
@given(steps=st.lists(st.one_of(LOAD, KEEP, LOAD, KEEP, LOAD, KEEP, STEP_UP, END), max_size=20))
def test_R13_a_cache_is_only_ever_replaced_by_what_came_of_it(
    valkey_server: EmbeddedValkey, steps: list[tuple[str, int]]
) -> None:
    async def run() -> None:
        redis = redis_client(valkey_server.url, limits=PATIENT)
        one = Run(redis)
        await one.start(strong=False)
        for what, who in steps:
            await one.do(what, who)
        await one.judge()
        await redis.aclose()

    asyncio.run(run())
