"""How the limits are made of the settings, and what of them the application is given.

Owns the wiring of the rules, the counts in Redis, who is told of refusals, and the watch for a proxy that nobody named.
Never decides what is too much: the rules do.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from gateway.counts import Counts
from gateway.edge.client_address import ClientAddresses
from gateway.edge.limit_reports import LimitReports
from gateway.edge.limit_rules import rules_of
from gateway.edge.limits import RateLimits
from gateway.edge.network_limits import NetworkLimits
from gateway.edge.proxy_watch import ProxyWatch
from gateway.session.cookie_limit import CookieLimit
from gateway.session.cookie_marks import CookieMarks
from gateway.session.person_limits import PersonLimits
from gateway.session.sessions import SessionStore
from gateway.settings import Settings
from gateway.store.proxy_note import ProxyNote
from gateway.store.rate_counts import RateCounts
from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Limiting:
    """What is made; `see` is shown every request but those for our health."""

    limits: RateLimits
    addresses: ClientAddresses
    marks: CookieMarks
    session_cookies: CookieLimit
    networks: NetworkLimits
    persons: PersonLimits
    see: Callable[[web.BaseRequest], None]


def limiting(settings: Settings, vault: Vault, sessions: SessionStore, counts: Counts) -> Limiting:
    """Make the limits.

    The time that they go by while Redis cannot count is this machine's own: no test and no operator moves it.
    """
    addresses, marks = ClientAddresses(settings.trusted_proxies), CookieMarks(settings.ring)
    limits = RateLimits(
        rules_of(
            sign_ins=settings.journeys_per_minute,
            step_ups=settings.step_ups_per_minute,
            edits=settings.edits_per_minute,
            reads=settings.reads_per_minute,
        ),
        RateCounts(vault.redis, settings.ring[0]),
        reports=LimitReports(counts, now=time.monotonic),
        now=time.monotonic,
    )
    cookies = CookieLimit(limits, addresses, marks)
    note, writing = ProxyNote(vault), set[asyncio.Task[None]]()

    def write(peer: str) -> None:
        task = asyncio.create_task(note.write(peer), context=contextvars.Context())
        writing.add(task)
        task.add_done_callback(writing.discard)

    watch = ProxyWatch(addresses.is_trusted, now=time.monotonic, counts=counts, on_found=write)
    return Limiting(
        limits,
        addresses,
        marks,
        cookies,
        NetworkLimits(limits, addresses, is_known=cookies.is_known),
        PersonLimits(limits, sessions, addresses),
        watch.see,
    )
