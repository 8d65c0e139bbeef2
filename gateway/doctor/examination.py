"""`python -m gateway doctor`: a configuration, checked against everything that it names.

Owns what is looked at, and in which order and form the findings are written. The looks themselves are in the modules
beside this one.
Shows no secret, and takes no decision for the gateway, which finds its own faults.

What it cannot see: a person's sign-in, whether Conditional Access asks for a second factor, consent, the API's own
credential and its exchange on behalf of people, and the registered sign-out addresses (docs/how-to/doctor.md).
"""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from gateway.doctor import authority, redis_server, services, sign_in
from gateway.doctor.findings import Finding, Status, all_within_time, fault, ok, warning
from gateway.session.cookie import COOKIE
from gateway.settings import Settings
from servicekit.outbound import Outbound, outbound

SETTINGS: Final = "settings"
LOCAL_WORK: Final = "local work"
PUBLIC_URL: Final = "public URL"
PROXIES: Final = "proxies"

# Three requests of the authority's at six seconds each, one after the other, and the checks beside them.
_AUTHORITY_SECONDS: Final = 30
_AUTHORITY: Final = (
    authority.DISCOVERY,
    authority.KEYS,
    authority.CLOCK,
    authority.CREDENTIAL,
    sign_in.REDIRECT_URI,
    sign_in.READ_SCOPE,
    sign_in.EDIT_SCOPE,
)


async def examine(settings: Settings, *, now: Callable[[], float] = time.time) -> list[Finding]:
    """Return a finding for every check, those that need nothing first; `now` is the wall clock in seconds."""
    findings = [
        ok(SETTINGS, "every one of them can be read"),
        _local_work(settings),
        *_public_url(settings),
        # What reads files does so in a thread, so that the requests' own time is theirs.
        await asyncio.to_thread(authority.days_left, settings, now=now),
    ]
    redis = asyncio.create_task(all_within_time(redis_server.CHECKS, redis_server.look_at_redis(settings)))
    async with outbound(settings.addresses, settings.ca_bundle) as http:
        looks = await asyncio.gather(
            all_within_time(_AUTHORITY, _authority(http, settings, now=now), seconds=_AUTHORITY_SECONDS),
            redis,
            _graph(http, settings),
            services.resource_api(http, settings.resource_api_url),
        )
    return [*findings, *(finding for look in looks for finding in look)]


async def _authority(http: Outbound, settings: Settings, *, now: Callable[[], float]) -> list[Finding]:
    look = await authority.look_at_authority(http, settings, now=now)
    signing_in = await sign_in.look_at_sign_in(http, settings, look.metadata, failed=authority.DISCOVERY)
    return [*look.findings, *signing_in]


async def _graph(http: Outbound, settings: Settings) -> list[Finding]:
    return [await services.graph(http, settings.graph_url)]


def settings_faults(lines: Sequence[str]) -> list[Finding]:
    """Return what is wrong with settings that cannot be read."""
    return [
        fault(SETTINGS, line, "Correct the setting; docs/reference/settings.md lists all of them.")
        for line in lines
    ]


def _local_work(settings: Settings) -> Finding:
    if settings.authority_map:
        return warning(
            LOCAL_WORK,
            f"GATEWAY_AUTHORITY_MAP is set: another address answers for "
            f"{' and '.join(sorted(settings.addresses.origins))}",
            "Remove GATEWAY_AUTHORITY_MAP to look at the real authority and at Graph.",
        )
    return ok(LOCAL_WORK, "nothing is set that is for local work only")


def _public_url(settings: Settings) -> list[Finding]:
    url = urlsplit(settings.public_url)
    if url.scheme == "https":
        proxied = (
            ok(PROXIES, f"GATEWAY_TRUSTED_PROXIES is {', '.join(settings.trusted_proxies)}")
            if settings.trusted_proxies
            else warning(
                PROXIES,
                "GATEWAY_TRUSTED_PROXIES is not set: behind a proxy all people count as one address for "
                "GATEWAY_JOURNEYS_PER_MINUTE",
                "Set it to the address or network of the proxy that ends TLS.",
            )
        )
        return [ok(PUBLIC_URL, f"{settings.public_url}: browsers keep the cookie {COOKIE} there"), proxied]
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


def exit_status(findings: Sequence[Finding]) -> int:
    """Return 0 where there is no fault, 1 otherwise."""
    return int(any(finding.status is Status.FAULT for finding in findings))


def drawn(findings: Sequence[Finding], *, as_json: bool) -> str:
    """Return the findings as JSON, or as lines for people with a count at the end."""
    if as_json:
        return json.dumps([finding.as_json() for finding in findings], indent=2)
    wide = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status.value:<8} {finding.check:<{wide}}  {finding.detail}")
        if finding.fix:
            lines.append(f"{'':<8} {'':<{wide}}  fix: {finding.fix}")
    counts = [
        f"{number} {status.value}{'' if number == 1 else 's'}"
        for status in (Status.FAULT, Status.WARNING)
        if (number := sum(finding.status is status for finding in findings))
    ]
    return "\n".join([*lines, "", f"{', '.join(counts) or 'Nothing is wrong'}."])
