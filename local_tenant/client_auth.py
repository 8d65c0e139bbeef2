"""How a client proves itself at the token endpoint: secret in the body, HTTP Basic, or a signed assertion.

Not checked: whether an assertion was used before; MSAL uses one for all requests of its ten minutes.
Source: RFC 6749 2.3, RFC 7523 3, Entra's certificate credentials.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from aiohttp import hdrs, web

from local_tenant.app_registration import AppRegistration
from local_tenant.federation import check_federated, is_federated
from local_tenant.refusals import refusal
from local_tenant.signing import CLOCK_SKEW_SECONDS, BadSignatureError, open_client_assertion
from local_tenant.tenant import Tenant

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class ProvenClient:
    """A client, and by what it proved itself: ``secret``, ``certificate``, or ``none`` where it need not."""

    app: AppRegistration
    credential: str


def prove_client(request: web.Request, form: dict[str, str], tenant: Tenant) -> ProvenClient:
    """Return the client behind a token request.

    Raises 900144 (no client_id), 700016 (unknown), 90023 (proven in two ways, RFC 6749 2.3), 7000218 (no credential),
    7000215 and 7000222 (secret), 700027 and 700024 (assertion), 700211, 700212 and 700213 (one of another issuer).
    Not checked: whether a client without a credential may be one, see ``platforms``.
    """
    authorization = request.headers.get(hdrs.AUTHORIZATION, "")
    basic_id, basic_secret = _basic(authorization)
    client_id = form.get("client_id") or basic_id
    if not client_id:
        raise refusal(900144, name="client_id")
    ways = (form.get("client_assertion"), form.get("client_secret"), _is_basic(authorization))
    if len([way for way in ways if way]) > 1:
        raise refusal(90023, what="The client proves itself in more than one way.")
    app = tenant.directory.app(client_id)
    if assertion := form.get("client_assertion"):
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise refusal(900144, name="client_assertion_type")
        if is_federated(assertion, app):
            check_federated(assertion, app, tenant.clock)
        else:
            _check_assertion(assertion, app, tenant)
        return ProvenClient(app, "certificate")
    same = basic_id.casefold() == client_id.casefold()
    secret = form.get("client_secret") or (basic_secret if same else "")
    if not secret and app.is_public and not _is_basic(authorization):
        return ProvenClient(app, "none")
    if not secret:
        raise refusal(7000218)
    _check_secret(secret, app, tenant.clock())
    return ProvenClient(app, "secret")


def _is_basic(header: str) -> bool:
    return header.partition(" ")[0].casefold() == "basic"


def _basic(header: str) -> tuple[str, str]:
    if not _is_basic(header):
        return "", ""
    credentials = header.partition(" ")[2].strip()
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)  # RFC 6749 2.3.1: form-encoded before Basic


def _check_secret(secret: str, app: AppRegistration, now: float) -> None:
    for entry in app.secrets:
        if hmac.compare_digest(entry.value.encode(), secret.encode()):
            if entry.expires_at and entry.expires_at.timestamp() <= now:
                raise refusal(7000222, client=app.client_id)
            return
    raise refusal(7000215)


def _check_assertion(assertion: str, app: AppRegistration, tenant: Tenant) -> None:
    try:
        claims, expires = open_client_assertion(assertion, app.certificates)
    except BadSignatureError:
        raise refusal(700027) from None
    audience = claims.get("aud")
    expected = f"{tenant.host}/{tenant.directory.tenant_id}/oauth2/v2.0/token"
    own = {str(claims.get(name)).casefold() for name in ("iss", "sub")} == {app.client_id.casefold()}
    if not own or audience not in (expected, [expected]):
        raise refusal(700027)
    now = tenant.clock()
    not_before = claims.get("nbf", claims.get("iat", now))
    in_time = isinstance(not_before, int | float) and not_before - CLOCK_SKEW_SECONDS <= now < expires
    if not in_time:
        raise refusal(700024)
