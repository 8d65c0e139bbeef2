"""`python -m resource_api doctor`: the API's half of a configuration, checked against everything that it names.

Owns what is looked at, and in which order the findings are written. Shows no secret and no token.

What it cannot see: a person's call and its exchange on their behalf, and consent for Graph's User.ReadWrite
(docs/how-to/doctor.md).
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from resource_api.doctor.clients import CLIENTS, SCOPE, look_at_clients
from resource_api.doctor.metadata import CHECKS as METADATA
from resource_api.doctor.metadata import look_at_metadata
from resource_api.doctor.tokens import TOKENS, look_at_tokens
from resource_api.doctor.wording import WORDING
from resource_api.settings import Settings
from servicekit.doctor.audit_trail import look_at_audit_trail
from servicekit.doctor.authority import CLOCK, DISCOVERY, KEYS, look_at_authority
from servicekit.doctor.credential import CREDENTIAL, days_left
from servicekit.doctor.findings import Finding, Status, all_within_time, not_looked_at, ok, within_time
from servicekit.doctor.graph import look_at_graph
from servicekit.doctor.local_work import look_for_local_work
from servicekit.doctor.report import SETTINGS
from servicekit.outbound import Outbound, outbound

# Three requests of the authority's at six seconds each, one after the other, and the checks beside them.
_AUTHORITY_SECONDS: Final = 30
_AUTHORITY: Final = (DISCOVERY, KEYS, CLOCK, CREDENTIAL, *METADATA, TOKENS, CLIENTS, SCOPE)


async def examine(
    settings: Settings, *, redirect_uri: str | None = None, now: Callable[[], float] = time.time
) -> list[Finding]:
    """Return a finding for every check, those that need nothing first.

    `redirect_uri` is registered with an allowed client, for a look at the scope; `now` is the wall clock in seconds.
    """
    findings = [
        ok(SETTINGS, "every one of them can be read"),
        look_for_local_work(settings),
        look_at_audit_trail(settings),
        # What reads files does so in a thread, so that the requests' own time is theirs.
        await asyncio.to_thread(days_left, settings, WORDING, now=now),
    ]
    async with outbound(settings.addresses, settings.ca_bundle) as http:
        looks, graph = await asyncio.gather(
            all_within_time(
                _AUTHORITY,
                _authority(http, settings, redirect_uri=redirect_uri, now=now),
                seconds=_AUTHORITY_SECONDS,
            ),
            look_at_graph(http, settings.graph_url, WORDING),
        )
    return [*findings, *looks, graph]


async def _authority(
    http: Outbound, settings: Settings, *, redirect_uri: str | None, now: Callable[[], float]
) -> list[Finding]:
    # Graph is known in every tenant, and its form of scope is right, so that the credential is what is judged.
    scope = settings.graph_default_scope if settings.tenant_id else settings.scope
    look = await look_at_authority(http, settings, WORDING, issuer=settings.issuer, scope=scope, now=now)
    tried = next(finding for finding in look.findings if finding.check == CREDENTIAL)
    if tried.status is Status.OK:
        tokens = await within_time(TOKENS, look_at_tokens(http, settings))
    else:
        tokens = not_looked_at(TOKENS, CREDENTIAL)
    clients = await all_within_time(
        (CLIENTS, SCOPE),
        look_at_clients(http, settings, look.metadata, redirect_uri=redirect_uri, failed=DISCOVERY),
    )
    return [*look.findings, *look_at_metadata(settings, look.metadata, failed=DISCOVERY), tokens, *clients]
