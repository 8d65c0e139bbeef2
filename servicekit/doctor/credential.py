"""The doctor's look at how a service proves itself: whether the authority takes it, and how long it lasts.

Owns the client credentials request, the reading of what it is refused with, and the end of a certificate.
Never shows a secret or an assertion, and never decides by an AADSTS number.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from servicekit.authority_settings import AuthoritySettings
from servicekit.authority_transport import AuthorityTransport
from servicekit.client_credential import CertificateKey, CredentialSource
from servicekit.discovery import Discovery
from servicekit.doctor.explanations import Explanation, Wording, explained, named
from servicekit.doctor.federation import look_at_federated_token
from servicekit.doctor.findings import Finding, fault, ok, plain_reason, warning
from servicekit.entra import EntraClient
from servicekit.errors import AuthorityUnavailable
from servicekit.federated_token import FederatedToken
from servicekit.outbound import outbound
from servicekit.refusals import Refusal, refusal_of
from servicekit.token_threads import SIGN_IN

CREDENTIAL: Final = "client credential"
CERTIFICATE: Final = "certificate"

_FEW_DAYS: Final = 30
_SECONDS: Final = 4
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


async def look_at_credential(
    settings: AuthoritySettings, discovery: Discovery, wording: Wording, *, scope: str
) -> Finding:
    """Let the service prove itself to the token endpoint; what it asks for, `scope`, may be refused."""
    try:
        refused = refusal_of(await ask_for_itself(settings, discovery, scope=scope))
    except AuthorityUnavailable as error:
        return fault(
            CREDENTIAL,
            f"the token endpoint gives no usable answer: {plain_reason(error, error.reason)}",
            "Wait, and look again; if it stays, look whether a proxy answers in the authority's place.",
        )
    return _judge(settings, wording, refused)


async def ask_for_itself(
    settings: AuthoritySettings, discovery: Discovery, *, scope: str
) -> Mapping[str, Any]:
    """Return what the token endpoint answers to a client credentials request; raises AuthorityUnavailable."""
    async with outbound(settings.addresses, settings.ca_bundle) as network:
        entra = EntraClient(
            client_id=settings.client_id,
            credential=await asyncio.to_thread(_source, settings),
            # Shorter than usual: a thread that waits keeps the process from ending.
            transport=AuthorityTransport(network, seconds=_SECONDS),
            discovery=discovery,
            authority=settings.msal_authority,
            oidc_authority=settings.authority,
            is_plain=settings.tenant_id is None,
        )
        try:
            answer: Mapping[str, Any] = await entra.call(
                lambda client: client.acquire_token_for_client(scopes=[scope]), purpose=SIGN_IN
            )
        finally:
            entra.close()
    return answer


def _source(settings: AuthoritySettings) -> CredentialSource:
    return settings.credential


def _judge(settings: AuthoritySettings, wording: Wording, refused: Refusal | None) -> Finding:
    kind = "certificate" if settings.client_certificate else "secret"
    if settings.federated_token_file:
        kind = "federated token"
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
            f"Compare {wording.prefix}CLIENT_ID and the client's credential with the app registration.",
        ),
        wording,
    )
    error = refused.error + named(refused.codes)
    return fault(CREDENTIAL, f"{credential} is refused: {explanation.cause}; {error}", explanation.fix)


def days_left(settings: AuthoritySettings, wording: Wording, *, now: Callable[[], float]) -> Finding:
    """Look how long the service's certificate or token is valid; a secret's end is not visible from here."""
    credential = settings.credential()
    if isinstance(credential, FederatedToken):
        return look_at_federated_token(
            credential(), wording, now=now, in_entra=settings.tenant_id is not None
        )
    if not isinstance(credential, CertificateKey):
        return ok(
            CERTIFICATE, "none: a client secret is in use, and only the admin center knows when it ends"
        )
    end = credential.not_valid_after
    days = int((end - datetime.fromtimestamp(now(), UTC)).total_seconds() // 86_400)
    sentence = f"the client certificate ends on {end:%Y-%m-%d}"
    renew = (
        f"Make a new one, upload it under App registrations > ({wording.owner}) > Certificates & secrets, and replace "
        f"the file of {wording.prefix}CLIENT_CERTIFICATE; a restart is not needed."
    )
    if days < 0:
        return fault(CERTIFICATE, f"{sentence}, which is past", renew)
    if days < _FEW_DAYS:
        return warning(CERTIFICATE, f"{sentence}, in {days} days", renew)
    return ok(CERTIFICATE, f"{sentence}, in {days} days")
