"""Clients that prove themselves with a token of another issuer, which their registration trusts.

Not done, as against Entra: the issuer's key set is not fetched; its certificate is part of the registration.
Source: Entra, "Workload identity federation"; RFC 7523 2.2.
"""

from local_tenant.app_registration import AppRegistration, FederatedCredential
from local_tenant.clock import Clock
from local_tenant.refusals import refusal
from local_tenant.signing import (
    BadSignatureError,
    Claims,
    claims_unverified,
    open_with_certificate,
    within_time,
)


def is_federated(assertion: str, app: AppRegistration) -> bool:
    """Tell whether an assertion is of another issuer than the application itself, and some issuer is trusted."""
    claims = claims_unverified(assertion)
    own = str(claims.get("iss")).casefold() == app.client_id.casefold()
    return bool(app.federated_credentials) and bool(claims) and not own


def check_federated(assertion: str, app: AppRegistration, clock: Clock) -> None:
    """Raise 700211, 700213 or 700212 (issuer, subject, audience), 700027 (signature) or 700024 (time)."""
    credential = _matching(claims_unverified(assertion), app.federated_credentials)
    try:
        claims = open_with_certificate(assertion, credential.certificate)
    except BadSignatureError:
        raise refusal(700027) from None
    if not within_time(claims, clock):
        raise refusal(700024)


def _matching(claims: Claims, credentials: tuple[FederatedCredential, ...]) -> FederatedCredential:
    """Return the registered credential that a token names; compared to the letter, as in Entra."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    left = [one for one in credentials if one.issuer == claims.get("iss")]
    if not left:
        raise refusal(700211, name=str(claims.get("iss")))
    left = [one for one in left if one.subject == claims.get("sub")]
    if not left:
        raise refusal(700213, name=str(claims.get("sub")))
    left = [one for one in left if one.audience in audiences]
    if not left:
        raise refusal(700212, name=str(audience))
    return left[0]
