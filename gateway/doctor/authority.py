"""The doctor's look at the authority: its metadata, its keys, its clock, and whether it takes our credential.

Owns those requests and what their answers mean; what a person's browser would ask is in `sign_in.py`.
Never decides by an AADSTS number, and never shows what an answer says in words: both are the authority's to change.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from gateway.doctor.explanations import Explanation, explained, named, numbers_in
from gateway.doctor.findings import (
    Finding,
    fault,
    not_looked_at,
    ok,
    plain_reason,
    warning,
    within_time,
)
from gateway.settings import Settings
from servicekit.authority_transport import AuthorityTransport
from servicekit.client_credential import CertificateKey, CredentialSource
from servicekit.discovery import AuthorityMetadata, Discovery, IssuerMismatch
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityUnavailable
from servicekit.jwt_verifier import SigningKeys, TokenRejected
from servicekit.outbound import Outbound, OutboundError, Reply
from servicekit.refusals import Refusal, refusal_of

DISCOVERY: Final = "discovery"
KEYS: Final = "signing keys"
CLOCK: Final = "clock"
CREDENTIAL: Final = "client credential"
CERTIFICATE: Final = "certificate"

_SECONDS: Final = 6
_OK: Final = 200
_CLOCK_WARNING: Final = 90
_CLOCK_FAULT: Final = 300
_FEW_DAYS: Final = 30
# Said of a client that proved itself (RFC 6749, section 5.2, and Entra's own): only what it asked for is refused.
_PROVEN: Final = frozenset(
    {
        "invalid_scope",
        "invalid_resource",
        "invalid_target",
        "invalid_grant",
        "consent_required",
        "access_denied",
    }
)


@dataclass(frozen=True, slots=True)
class Authority:
    """What was found of the authority; `metadata` is None where there is none to rely on."""

    findings: list[Finding]
    metadata: AuthorityMetadata | None


async def look_at_authority(http: Outbound, settings: Settings, *, now: Callable[[], float]) -> Authority:
    """Look at everything that needs no redirect URI; `now` is the wall clock in seconds."""
    url = settings.discovery_url
    try:
        reply = await http.send("GET", url, headers={"Accept": "application/json"}, timeout_seconds=_SECONDS)
    except OutboundError as error:
        lost = fault(
            DISCOVERY,
            f"{url} cannot be reached: {plain_reason(error, error.reason)}",
            "Allow outgoing https to the authority, and compare GATEWAY_TENANT_SUBDOMAIN (or GATEWAY_AUTHORITY) "
            "and GATEWAY_CA_BUNDLE.",
        )
        return Authority([lost, *(not_looked_at(one, DISCOVERY) for one in (KEYS, CLOCK, CREDENTIAL))], None)
    clock = _clock(reply, now())
    if reply.status != _OK:
        explanation = explained(
            numbers_in(_text(reply)),
            Explanation(
                "there is no such document",
                "Compare GATEWAY_TENANT_SUBDOMAIN (or GATEWAY_AUTHORITY) with the tenant's Overview page.",
            ),
        )
        lost = fault(
            DISCOVERY,
            f"{url} answered {reply.status}: {explanation.cause}{named(numbers_in(_text(reply)))}",
            explanation.fix,
        )
        return Authority(
            [lost, not_looked_at(KEYS, DISCOVERY), clock, not_looked_at(CREDENTIAL, DISCOVERY)], None
        )
    discovery = Discovery(http, url=url, issuer=settings.issuer)
    finding, metadata = await _metadata(discovery, settings, reply)
    if metadata is None:
        return Authority(
            [finding, not_looked_at(KEYS, DISCOVERY), clock, not_looked_at(CREDENTIAL, DISCOVERY)], None
        )
    keys, taken = await asyncio.gather(
        within_time(KEYS, _keys(SigningKeys(http, discovery), metadata)),
        within_time(CREDENTIAL, _credential(settings, discovery)),
    )
    return Authority([finding, keys, clock, taken], metadata)


async def _metadata(
    discovery: Discovery, settings: Settings, reply: Reply
) -> tuple[Finding, AuthorityMetadata | None]:
    url = settings.discovery_url
    try:
        metadata = await discovery.metadata()
    except IssuerMismatch:
        expected = (
            "GATEWAY_TENANT_ID must be the Tenant ID on the tenant's Overview page."
            if settings.tenant_id
            else "GATEWAY_AUTHORITY must be the issuer to the letter, a slash at its end included."
        )
        return fault(
            DISCOVERY, f"{url} names the issuer {_issuer(reply)}, and we expect {settings.issuer}", expected
        ), None
    except AuthorityUnavailable as error:
        return fault(
            DISCOVERY,
            f"{url} holds no document that we can use: {error.reason}",
            "Look whether a proxy answers in the authority's place.",
        ), None
    return ok(DISCOVERY, f"{url} names the issuer {metadata.issuer}, as expected"), metadata


def _issuer(reply: Reply) -> str:
    """Return the issuer that a document names; the judge of documents has read it before."""
    return str(reply.json().get("issuer"))[:200]


def _text(reply: Reply) -> str:
    return reply.body.decode(errors="replace")


async def _keys(keys: SigningKeys, metadata: AuthorityMetadata) -> Finding:
    try:
        await keys.key(None)
    except TokenRejected:
        pass  # there are several keys, and a token would say which
    except AuthorityUnavailable as error:
        return fault(
            KEYS,
            f"{metadata.jwks_uri} brings no key to check tokens with: {error.reason}",
            "Allow outgoing https to this address, and look whether a proxy answers in the authority's place.",
        )
    return ok(KEYS, f"{metadata.jwks_uri} holds keys that can be used")


def _clock(reply: Reply, now: float) -> Finding:
    try:
        theirs = parsedate_to_datetime(reply.headers.get("Date", "")).timestamp()
    except ValueError:
        return warning(
            CLOCK, "the authority does not say what time it has", "Look whether this machine uses NTP."
        )
    apart = round(now - theirs)
    sentence = f"this machine is {abs(apart)} s {'ahead of' if apart > 0 else 'behind'} the authority"
    if abs(apart) > _CLOCK_FAULT:
        return fault(
            CLOCK, f"{sentence}: tokens look expired, or not valid yet", "Set this machine's clock by NTP."
        )
    if abs(apart) > _CLOCK_WARNING:
        return warning(CLOCK, f"{sentence}, which leaves little room", "Set this machine's clock by NTP.")
    return ok(CLOCK, sentence if apart else "this machine has the authority's time")


async def _credential(settings: Settings, discovery: Discovery) -> Finding:
    entra = EntraClient(
        client_id=settings.client_id,
        credential=await asyncio.to_thread(_source, settings),
        # Shorter than usual: a thread that waits keeps the process from ending.
        transport=AuthorityTransport(
            address_map=settings.addresses, verify=settings.ca_bundle or True, timeouts=(3, 4)
        ),
        discovery=discovery,
        authority=settings.msal_authority,
        oidc_authority=settings.authority,
        is_plain=settings.tenant_id is None,
    )
    graph = urlsplit(settings.graph_url)
    # Graph is known in every tenant, and its form of scope is right, so that the credential is what is judged.
    scope = f"{graph.scheme}://{graph.netloc}/.default" if settings.tenant_id else settings.edit_profile_scope
    try:
        refused = refusal_of(await entra.call(lambda client: client.acquire_token_for_client(scopes=[scope])))
    except AuthorityUnavailable as error:
        return fault(
            CREDENTIAL,
            f"the token endpoint gives no usable answer: {plain_reason(error, error.reason)}",
            "Wait, and look again; if it stays, look whether a proxy answers in the authority's place.",
        )
    finally:
        entra.close()
    return _judge(settings, refused)


def _source(settings: Settings) -> CredentialSource:
    return settings.credential


def _judge(settings: Settings, refused: Refusal | None) -> Finding:
    kind = "certificate" if settings.client_certificate else "secret"
    credential = f"the {kind} of client {settings.client_id}"
    if refused is None:
        return ok(CREDENTIAL, f"{credential} is accepted")
    if refused.error in _PROVEN:
        return ok(CREDENTIAL, f"{credential} is accepted; what was asked with it is refused, as it may be")
    if refused.error == "unauthorized_client" and settings.tenant_id is None:
        return warning(
            CREDENTIAL,
            f"{credential} could not be tried: the authority lets this client ask for nothing by itself",
            "Nothing, where signing in works.",
        )
    explanation = explained(
        refused.codes,
        Explanation(
            "the authority refuses it",
            "Compare GATEWAY_CLIENT_ID and the client's credential with the app registration.",
        ),
    )
    error = refused.error + named(refused.codes)
    return fault(CREDENTIAL, f"{credential} is refused: {explanation.cause}; {error}", explanation.fix)


def days_left(settings: Settings, *, now: Callable[[], float]) -> Finding:
    """Look how long the gateway's certificate is valid; a secret's end is not visible from here."""
    credential = settings.credential()
    if not isinstance(credential, CertificateKey):
        return ok(
            CERTIFICATE, "none: a client secret is in use, and only the admin center knows when it ends"
        )
    end = credential.not_valid_after
    days = int((end - datetime.fromtimestamp(now(), UTC)).total_seconds() // 86_400)
    sentence = f"the client certificate ends on {end:%Y-%m-%d}"
    renew = (
        "Make a new one, upload it under App registrations > (the gateway's) > Certificates & secrets, and replace "
        "the file of GATEWAY_CLIENT_CERTIFICATE; a restart is not needed."
    )
    if days < 0:
        return fault(CERTIFICATE, f"{sentence}, which is past", renew)
    if days < _FEW_DAYS:
        return warning(CERTIFICATE, f"{sentence}, in {days} days", renew)
    return ok(CERTIFICATE, f"{sentence}, in {days} days")
