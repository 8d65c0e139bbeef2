"""The doctor's look at proxies: whether limits count persons, or one proxy that nobody named.

Owns reading what a running gateway noted of its traffic, beside what the settings say.
Never asks a proxy anything, and finds no fault where Redis cannot be asked: another check says so.
"""

import asyncio
from typing import Final

from gateway.edge.client_address import ClientAddresses
from gateway.errors import SessionStoreUnavailable
from gateway.settings import Settings
from gateway.store.proxy_note import ProxyNote
from gateway.store.redis.connection import redis_client
from gateway.store.redis_clock import RedisClock
from gateway.store.sealing import KeyRing
from gateway.store.vault import Vault
from servicekit.doctor.findings import Finding, ok, warning

PROXIES: Final = "proxies"
_FIX: Final = "Set it to the address or network of the proxy that ends TLS."


async def look_at_proxies(settings: Settings) -> list[Finding]:
    """Return a warning where all traffic came by a proxy that is not named, or where none is named behind https."""
    seen = await _noted(settings)
    if seen and not ClientAddresses(settings.trusted_proxies).is_trusted(seen):
        return [
            warning(
                PROXIES,
                f"nearly all requests of the last day came by {seen}, which says for whom it speaks and is not in "
                "GATEWAY_TRUSTED_PROXIES: all people share the limits of one network",
                "Set GATEWAY_TRUSTED_PROXIES to this address or its network, if it is your proxy.",
            )
        ]
    if settings.trusted_proxies:
        return [ok(PROXIES, f"GATEWAY_TRUSTED_PROXIES is {', '.join(settings.trusted_proxies)}")]
    if settings.public_url.startswith("https://"):
        return [
            warning(
                PROXIES,
                "GATEWAY_TRUSTED_PROXIES is not set: behind a proxy all people count as one address for "
                "GATEWAY_JOURNEYS_PER_MINUTE",
                _FIX,
            )
        ]
    return []


async def _noted(settings: Settings) -> str | None:
    # In a thread, because it reads the files of authorities.
    client = await asyncio.to_thread(
        redis_client,
        settings.redis_url.get_secret_value(),
        password_file=settings.redis_password_file,
        ca_bundle=settings.redis_ca_bundle or settings.ca_bundle,
    )
    try:
        return await ProxyNote(Vault(client, KeyRing(settings.ring), now=RedisClock())).read()
    except SessionStoreUnavailable:
        return None
    finally:
        await client.aclose()
