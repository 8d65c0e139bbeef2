"""The doctor's look at the authority: its metadata, its keys and its clock; and, by `credential.py`, who we are to it.

Owns those requests and what their answers mean.
Never decides by an AADSTS number, and never shows what an answer says in words: both are the authority's to change.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from servicekit.authority import always_accepted
from servicekit.authority_settings import AuthoritySettings
from servicekit.discovery import AuthorityMetadata, Discovery, IssuerMismatch
from servicekit.doctor.credential import CREDENTIAL, look_at_credential
from servicekit.doctor.explanations import Explanation, Wording, explained, named, numbers_in
from servicekit.doctor.findings import (
    Finding,
    fault,
    not_looked_at,
    ok,
    plain_reason,
    warning,
    within_time,
)
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.outbound import Outbound
from servicekit.outbound_error import OutboundError
from servicekit.reply import Reply
from servicekit.signing_keys import SigningKeys

DISCOVERY: Final = "discovery"
KEYS: Final = "signing keys"
CLOCK: Final = "clock"

_SECONDS: Final = 6
_OK: Final = 200
# A `Date` tells whole seconds.
_DATE_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Authority:
    """What was found of the authority; `metadata` is None where there is none to rely on."""

    findings: list[Finding]
    metadata: AuthorityMetadata | None


async def look_at_authority(
    http: Outbound,
    settings: AuthoritySettings,
    wording: Wording,
    *,
    issuer: str,
    scope: str,
    now: Callable[[], float],
) -> Authority:
    """Look at everything that needs no redirect URI.

    `issuer` is the one whose tokens the service believes, `scope` what the credential is tried with, and `now` the wall
    clock in seconds.
    """
    url = settings.discovery_url
    try:
        reply = await http.send("GET", url, headers={"Accept": "application/json"}, timeout_seconds=_SECONDS)
    except OutboundError as error:
        lost = fault(
            DISCOVERY,
            f"{url} cannot be reached: {plain_reason(error, error.reason)}",
            f"Allow outgoing https to the authority, and compare {wording.prefix}TENANT_SUBDOMAIN (or "
            f"{wording.prefix}AUTHORITY) and {wording.prefix}CA_BUNDLE.",
        )
        return Authority([lost, *(not_looked_at(one, DISCOVERY) for one in (KEYS, CLOCK, CREDENTIAL))], None)
    clock = _clock(reply, now(), settings.clock_leeway_seconds, f"{wording.prefix}CLOCK_LEEWAY_SECONDS")
    if reply.status != _OK:
        explanation = explained(
            numbers_in(_text(reply)),
            Explanation(
                "there is no such document",
                f"Compare {wording.prefix}TENANT_SUBDOMAIN (or {wording.prefix}AUTHORITY) with the tenant's Overview "
                "page.",
            ),
            wording,
        )
        lost = fault(
            DISCOVERY,
            f"{url} answered {reply.status}: {explanation.cause}{named(numbers_in(_text(reply)))}",
            explanation.fix,
        )
        return Authority(
            [lost, not_looked_at(KEYS, DISCOVERY), clock, not_looked_at(CREDENTIAL, DISCOVERY)], None
        )
    discovery = Discovery(http, url=url, issuer=issuer)
    finding, metadata = await _metadata(discovery, settings, reply, issuer=issuer)
    if metadata is None:
        return Authority(
            [finding, not_looked_at(KEYS, DISCOVERY), clock, not_looked_at(CREDENTIAL, DISCOVERY)], None
        )
    keys, taken = await asyncio.gather(
        within_time(KEYS, _keys(SigningKeys(http, discovery, always=always_accepted(settings)), metadata)),
        within_time(CREDENTIAL, look_at_credential(settings, discovery, wording, scope=scope)),
    )
    return Authority([finding, keys, clock, taken], metadata)


async def _metadata(
    discovery: Discovery, settings: AuthoritySettings, reply: Reply, *, issuer: str
) -> tuple[Finding, AuthorityMetadata | None]:
    url = settings.discovery_url
    try:
        metadata = await discovery.metadata()
    except IssuerMismatch:
        return fault(
            DISCOVERY,
            f"{url} names the issuer {_issuer(reply)}, and we expect {issuer}",
            _way_to_the_issuer(settings, _issuer(reply)),
        ), None
    except AuthorityUnavailable as error:
        return fault(
            DISCOVERY,
            f"{url} holds no document that we can use: {error.reason}",
            "Look whether a proxy answers in the authority's place.",
        ), None
    return ok(DISCOVERY, f"{url} names the issuer {metadata.issuer}, as expected"), metadata


def _way_to_the_issuer(settings: AuthoritySettings, named: str) -> str:
    """Return what to set where the metadata names another issuer than is expected."""
    if settings.tenant_subdomain:
        return f"{settings.prefix}TENANT_ID must be the Tenant ID on the tenant's Overview page."
    own = f"If that is the authority's own name, as with a custom domain, set {settings.prefix}AUTHORITY_ISSUER={named}"
    if settings.tenant_id:
        return f"{own}; else {settings.prefix}TENANT_ID must be the Tenant ID on the tenant's Overview page."
    return f"{own}; else {settings.prefix}AUTHORITY must be the issuer to the letter, a slash at its end included."


def _issuer(reply: Reply) -> str:
    """Return the issuer that a document names; the judge of documents has read it before."""
    return str(reply.json().get("issuer"))[:200]


def _text(reply: Reply) -> str:
    return reply.body.decode(errors="replace")


async def _keys(keys: SigningKeys, metadata: AuthorityMetadata) -> Finding:
    try:
        await keys.check()
    except Misconfigured as error:
        return fault(
            KEYS,
            f"no token can be checked with what {metadata.jwks_uri} holds: {error.log_detail}",
            "Let the authority sign by an algorithm that it lists in id_token_signing_alg_values_supported, and "
            "publish that key: RSA of 2048 bits at least, EC or Ed25519.",
        )
    except AuthorityUnavailable as error:
        return fault(
            KEYS,
            f"{metadata.jwks_uri} brings no key to check tokens with: {error.reason}",
            "Allow outgoing https to this address, and look whether a proxy answers in the authority's place.",
        )
    return ok(KEYS, f"{metadata.jwks_uri} holds keys that can be used")


def _clock(reply: Reply, now: float, leeway: int, setting: str) -> Finding:
    try:
        theirs = parsedate_to_datetime(reply.headers.get("Date", "")).timestamp()
    except ValueError:
        return warning(
            CLOCK, "the authority does not say what time it has", "Look whether this machine uses NTP."
        )
    apart = round(now - theirs)
    sentence = f"this machine is {abs(apart)} s {'ahead of' if apart > 0 else 'behind'} the authority"
    if abs(apart) > leeway + _DATE_SECONDS:
        return fault(
            CLOCK,
            f"{sentence}, and {setting} forgives {leeway} s: tokens look expired, or not valid yet, and nobody can "
            "sign in",
            "Set this machine's clock by NTP.",
        )
    if abs(apart) > leeway / 2 + _DATE_SECONDS:
        return warning(CLOCK, f"{sentence}, which leaves little room", "Set this machine's clock by NTP.")
    return ok(CLOCK, sentence if apart else "this machine has the authority's time")
