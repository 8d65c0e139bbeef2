"""`python -m gateway doctor`: a configuration, checked against everything that it names.

Owns what is looked at, and in which order the findings are written. The looks themselves are in the modules beside this
one, and in `servicekit.doctor` where the resource API's doctor has them too.
Shows no secret, and takes no decision for the gateway, which finds its own faults.

What it cannot see: a person's sign-in, whether Conditional Access asks for a second factor, consent, the API's own
half (`python -m resource_api doctor` looks at that), and the registered sign-out addresses (docs/how-to/doctor.md).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from gateway.doctor import metadata, redis_server, resource_api, sign_in, upstreams
from gateway.doctor.proxies import PROXIES, look_at_proxies
from gateway.doctor.wording import WORDING
from gateway.session.cookie import COOKIE
from gateway.settings import Settings
from servicekit.doctor.audit_trail import look_at_audit_trail
from servicekit.doctor.authority import CLOCK, DISCOVERY, KEYS, look_at_authority
from servicekit.doctor.credential import CREDENTIAL, days_left
from servicekit.doctor.findings import Finding, all_within_time, ok, warning
from servicekit.doctor.graph import look_at_graph
from servicekit.doctor.local_work import look_for_local_work
from servicekit.doctor.report import SETTINGS
from servicekit.outbound import Outbound, outbound

PUBLIC_URL: Final = "public URL"

# Three requests of the authority's at six seconds each, one after the other, and the checks beside them.
_AUTHORITY_SECONDS: Final = 30
_AUTHORITY: Final = (
    DISCOVERY,
    KEYS,
    CLOCK,
    CREDENTIAL,
    *metadata.CHECKS,
    sign_in.REDIRECT_URI,
    sign_in.READ_SCOPE,
    sign_in.EDIT_SCOPE,
)


async def examine(settings: Settings, *, now: Callable[[], float] = time.time) -> list[Finding]:
    """Return a finding for every check, those that need nothing first; `now` is the wall clock in seconds."""
    findings = [
        ok(SETTINGS, "every one of them can be read"),
        look_for_local_work(settings),
        look_at_audit_trail(settings),
        *_public_url(settings),
        # What reads files does so in a thread, so that the requests' own time is theirs.
        await asyncio.to_thread(days_left, settings, WORDING, now=now),
    ]
    redis = asyncio.create_task(
        all_within_time(redis_server.CHECKS, redis_server.look_at_redis(settings, now=now))
    )
    async with outbound(settings.addresses, settings.ca_bundle) as http:
        looks = await asyncio.gather(
            all_within_time(
                [*_AUTHORITY, *upstreams.scope_checks(settings)],
                _authority(http, settings, now=now),
                seconds=_AUTHORITY_SECONDS,
            ),
            redis,
            all_within_time([PROXIES], look_at_proxies(settings)),
            _graph(http, settings),
            resource_api.look_at_resource_api(http, settings.resource_api_url),
            upstreams.look_at_upstreams(http, settings.upstreams),
        )
    return [*findings, *(finding for look in looks for finding in look)]


async def _authority(http: Outbound, settings: Settings, *, now: Callable[[], float]) -> list[Finding]:
    # Graph is known in every tenant, and its form of scope is right, so that the credential is what is judged.
    scope = settings.graph_default_scope if settings.tenant_id else settings.edit_profile_scope
    look = await look_at_authority(http, settings, WORDING, issuer=settings.issuer, scope=scope, now=now)
    signing_in = await sign_in.look_at_sign_in(http, settings, look.metadata, failed=DISCOVERY)
    lists = metadata.look_at_metadata(settings, look.metadata, failed=DISCOVERY)
    scopes = await upstreams.look_at_scopes(
        http, settings, look.metadata, failed=DISCOVERY, registered=sign_in.REDIRECT_URI
    )
    return [*look.findings, *lists, *signing_in, *scopes]


async def _graph(http: Outbound, settings: Settings) -> list[Finding]:
    return [await look_at_graph(http, settings.graph_url, WORDING)]


def _public_url(settings: Settings) -> list[Finding]:
    url = urlsplit(settings.public_url)
    if url.scheme == "https":
        return [ok(PUBLIC_URL, f"{settings.public_url}: browsers keep the cookie {COOKIE} there")]
    if url.hostname == "localhost":
        return [
            ok(PUBLIC_URL, f"{settings.public_url}: for this computer only; browsers keep {COOKIE} there")
        ]
    return [
        warning(
            PUBLIC_URL,
            f"{settings.public_url}: not every browser keeps the cookie {COOKIE} at a plain http address",
            "Set GATEWAY_PUBLIC_URL to http://localhost with its port, or to an https address.",
        )
    ]
