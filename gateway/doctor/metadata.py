"""The doctor's look at what the authority's metadata lists, beside what the gateway will ask for.

Owns which lists matter to signing in, staying signed in and signing out, and what follows where the gateway's wish is
not in one.
Never asks the authority anything.
"""

from typing import Final

from gateway.settings import Settings
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.findings import Finding, Status, not_looked_at, ok, warning
from servicekit.doctor.metadata import (
    CLIENT_AUTHENTICATION,
    SIGNING_ALGORITHMS,
    is_promised,
    listed,
    look_at_client_authentication,
    look_at_signing_algorithms,
    needed,
    shown,
)

RESPONSE_TYPE: Final = "response type"
RESPONSE_MODE: Final = "response mode"
GRANTS: Final = "grants"
PKCE: Final = "PKCE"
SCOPES: Final = "scopes"
SIGN_UP: Final = "sign-up"
SIGN_OUT: Final = "sign-out"
CHECKS: Final = (
    RESPONSE_TYPE,
    RESPONSE_MODE,
    GRANTS,
    PKCE,
    SCOPES,
    SIGN_UP,
    CLIENT_AUTHENTICATION,
    SIGNING_ALGORITHMS,
    SIGN_OUT,
)

_CODE: Final = "Let this client use the authorization code flow at the authority."
_OFFLINE: Final = "offline_access"


def look_at_metadata(settings: Settings, metadata: AuthorityMetadata | None, *, failed: str) -> list[Finding]:
    """Return a finding for each of CHECKS; `failed` names the check without which there is no metadata."""
    if metadata is None:
        return [not_looked_at(check, failed) for check in CHECKS]
    return [
        needed(
            RESPONSE_TYPE,
            metadata,
            "response_types_supported",
            "code",
            consequence="nobody can sign in",
            fix=_CODE,
        ),
        _response_mode(settings, metadata),
        _grants(metadata),
        _pkce(settings, metadata),
        _scopes(settings, metadata),
        needed(
            SIGN_UP,
            metadata,
            "prompt_values_supported",
            "create",
            consequence="whoever wants to sign up may meet an error",
            fix="Leave the way to sign-up out of the front end, where the authority's own page does not offer it.",
            status=Status.WARNING,
        ),
        look_at_client_authentication(settings, metadata),
        look_at_signing_algorithms(settings, metadata),
        _sign_out(settings, metadata),
    ]


def _response_mode(settings: Settings, metadata: AuthorityMetadata) -> Finding:
    member, mode = "response_modes_supported", settings.response_mode
    if listed(metadata, member) is None and mode == "form_post":
        return warning(
            RESPONSE_MODE,
            f"the metadata has no {member}, which means query and fragment; GATEWAY_RESPONSE_MODE is form_post",
            "Set GATEWAY_RESPONSE_MODE to query, where signing in ends with the authority's error.",
        )
    other = "query" if mode == "form_post" else "form_post"
    return needed(
        RESPONSE_MODE,
        metadata,
        member,
        mode,
        consequence="the authority's answer does not arrive",
        fix=f"Set GATEWAY_RESPONSE_MODE to {other}.",
    )


def _grants(metadata: AuthorityMetadata) -> Finding:
    member = "grant_types_supported"
    signing_in = needed(
        GRANTS, metadata, member, "authorization_code", consequence="nobody can sign in", fix=_CODE
    )
    if signing_in.status is not Status.OK:
        return signing_in
    return needed(
        GRANTS,
        metadata,
        member,
        "refresh_token",
        consequence="sessions end with their first access token",
        fix="Let this client have refresh tokens at the authority, or let access tokens live as long as a session.",
        status=Status.WARNING,
    )


def _pkce(settings: Settings, metadata: AuthorityMetadata) -> Finding:
    member = "code_challenge_methods_supported"
    # Entra lists none, and takes S256.
    if listed(metadata, member) is None and settings.tenant_id is None:
        return warning(
            PKCE,
            f"the metadata has no {member}, which means no PKCE; S256 is sent",
            "Nothing, where signing in works: the code is bound to this client by its credential and by the nonce.",
        )
    return needed(
        PKCE,
        metadata,
        member,
        "S256",
        consequence="signing in may be refused",
        fix="Let the authority take PKCE with S256 (RFC 7636, section 4.2).",
    )


def _scopes(settings: Settings, metadata: AuthorityMetadata) -> Finding:
    values = listed(metadata, "scopes_supported")
    if values is None:
        return ok(SCOPES, "the metadata has no scopes_supported")
    # Entra lists none but those of OpenID Connect, and a list need not be complete: a scope's own check asks for it.
    own = () if settings.tenant_id else (settings.graph_scope, settings.edit_profile_scope)
    missing = [scope for scope in ("openid", _OFFLINE, *own) if scope not in values]
    if not missing:
        return ok(SCOPES, "scopes_supported has all that are asked for")
    sentence = f"scopes_supported has {shown(values)}, and not {shown(missing)}"
    if _OFFLINE in missing:
        sentence += "; without offline_access sessions may end with their first access token"
    return warning(
        SCOPES,
        sentence,
        "Compare GATEWAY_GRAPH_SCOPE and GATEWAY_EDIT_PROFILE_SCOPE with the authority's scopes, and look whether it "
        "gives this client refresh tokens; nothing, where people sign in and stay.",
    )


def _sign_out(settings: Settings, metadata: AuthorityMetadata) -> Finding:
    if settings.backchannel_logout and not is_promised(metadata, "backchannel_logout_supported"):
        return warning(
            SIGN_OUT,
            "GATEWAY_BACKCHANNEL_LOGOUT is 1, and the metadata does not promise backchannel_logout_supported",
            "Look whether the authority calls /auth/backchannel-logout; else set GATEWAY_BACKCHANNEL_LOGOUT to 0.",
        )
    if metadata.end_session_endpoint is None:
        return warning(
            SIGN_OUT,
            "the metadata has no end_session_endpoint, so that signing out ends the session here and not at the "
            "authority",
            "Nothing, where that is enough: the next sign-in may need no password.",
        )
    return ok(SIGN_OUT, f"{metadata.end_session_endpoint} ends the authority's session too")
