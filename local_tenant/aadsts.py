"""The AADSTS catalogue: every way in which the authority says no, as data.

Sources: Microsoft's list of authentication error codes, and answers quoted in public reports.
The numbers are for people and logs; Microsoft warns that they change, so that no program may depend on them.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class At(Enum):
    """Where a refusal at the authorize endpoint is shown."""

    CLIENT = "client"
    """Redirected (or posted) to the application."""
    PAGE = "page"
    """Shown to the person at the authority; the application hears nothing."""


@dataclass(frozen=True, slots=True)
class Aadsts:
    """One row of the catalogue."""

    number: int
    error: str
    text: str
    status: int = 400
    suberror: str | None = None
    authorize_error: str | None = None
    """The ``error`` at the authorize endpoint, where it differs from the token endpoint's."""
    at: At = At.CLIENT


_ROWS: Final = (
    Aadsts(
        50076,
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location,"
        " you must use multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
        authorize_error="interaction_required",
    ),
    Aadsts(
        50079,
        "invalid_grant",
        "Due to a configuration change made by your administrator, or because you moved to a new location,"
        " you must enroll in multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
        authorize_error="interaction_required",
        at=At.PAGE,
    ),
    Aadsts(
        50074,
        "invalid_grant",
        "Strong Authentication is required.",
        suberror="basic_action",
        authorize_error="interaction_required",
    ),
    Aadsts(
        50078,
        "invalid_grant",
        "Presented multi-factor authentication has expired due to policies configured by your administrator,"
        " you must refresh your multi-factor authentication to access '{resource}'.",
        suberror="basic_action",
        authorize_error="interaction_required",
    ),
    Aadsts(
        53003,
        "invalid_grant",
        "Access has been blocked by Conditional Access policies."
        " The access policy does not allow token issuance.",
        suberror="message_only",
        authorize_error="access_denied",
        at=At.PAGE,
    ),
    Aadsts(
        65001,
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{client}'."
        " Send an interactive authorization request for this user and resource.",
        suberror="consent_required",
        authorize_error="consent_required",
    ),
    Aadsts(65004, "access_denied", "User declined to consent to access the app."),
    Aadsts(
        90094,
        "invalid_grant",
        "Admin consent is required for the permissions requested by this application.",
        suberror="consent_required",
        authorize_error="access_denied",
        at=At.PAGE,
    ),
    Aadsts(70000, "invalid_grant", "Provided grant is invalid or malformed.", suberror="bad_token"),
    Aadsts(70008, "invalid_grant", "The provided authorization code or refresh token has expired."),
    Aadsts(
        700082,
        "invalid_grant",
        "The refresh token has expired due to inactivity.",
        suberror="bad_token",
    ),
    Aadsts(
        700084,
        "invalid_grant",
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime,"
        " which can't be extended. It is now expired and a new sign in request must be sent by the SPA.",
        suberror="bad_token",
    ),
    Aadsts(
        50173,
        "invalid_grant",
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
    ),
    Aadsts(54005, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry."),
    Aadsts(
        501481,
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge supplied in the authorization request.",
    ),
    Aadsts(50147, "invalid_request", "The size of the code challenge parameter isn't valid."),
    Aadsts(501491, "invalid_request", "Invalid size of Code_Challenge parameter."),
    Aadsts(90023, "invalid_request", "{what}"),
    Aadsts(90100, "invalid_request", "The parameter '{name}' is not valid: it is there more than once."),
    Aadsts(
        9010010,
        "invalid_target",
        "The resource parameter provided in the request doesn't match with the requested scopes.",
    ),
    Aadsts(
        9002313,
        "invalid_grant",
        "Invalid request. Request is malformed or invalid.",
        authorize_error="invalid_request",
    ),
    Aadsts(900144, "invalid_request", "The request body must contain the following parameter: '{name}'."),
    Aadsts(70003, "unsupported_grant_type", "The app requested an unsupported grant type '{name}'."),
    Aadsts(
        28000,
        "invalid_request",
        "Provided value for the input parameter scope is not valid because it"
        " contains more than one resource.",
    ),
    Aadsts(
        28003,
        "invalid_request",
        "Provided value for the input parameter scope can't be empty when"
        " requesting an access token using the provided authorization code.",
    ),
    Aadsts(
        70011,
        "invalid_scope",
        "The provided value for the input parameter 'scope' is not valid. The scope '{name}' is not valid.",
    ),
    Aadsts(500011, "invalid_resource", "The resource principal named {name} was not found in the tenant."),
    Aadsts(
        50011,
        "invalid_request",
        "The redirect URI '{name}' specified in the request does not match the redirect URIs configured"
        " for the application '{client}'.",
        at=At.PAGE,
    ),
    Aadsts(
        500112,
        "invalid_grant",
        "The reply address does not match the reply address provided when requesting the authorization code.",
    ),
    Aadsts(
        700016,
        "unauthorized_client",
        "Application with identifier '{client}' was not found in the directory.",
        at=At.PAGE,
    ),
    Aadsts(
        7000215,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the"
        " request is the client secret value, not the client secret ID.",
        status=401,
    ),
    Aadsts(
        7000222,
        "invalid_client",
        "The provided client secret keys for app '{client}' are expired.",
        status=401,
    ),
    Aadsts(
        7000218,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        status=401,
    ),
    Aadsts(
        700025,
        "invalid_client",
        "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
        status=401,
    ),
    Aadsts(
        700027,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on application.",
        status=401,
    ),
    Aadsts(
        700211,
        "invalid_client",
        "No matching federated identity record found for presented assertion issuer '{name}'.",
        status=401,
    ),
    Aadsts(
        700212,
        "invalid_client",
        "No matching federated identity record found for presented assertion audience '{name}'.",
        status=401,
    ),
    Aadsts(
        700213,
        "invalid_client",
        "No matching federated identity record found for presented assertion subject '{name}'.",
        status=401,
    ),
    Aadsts(700024, "invalid_client", "Client assertion is not within its valid time range.", status=401),
    Aadsts(50013, "invalid_grant", "Assertion failed signature validation."),
    Aadsts(
        500131, "invalid_grant", "Assertion audience does not match the Client app presenting the assertion."
    ),
    Aadsts(500133, "invalid_grant", "Assertion is not within its valid time range."),
    Aadsts(
        7000114,
        "invalid_grant",
        "Application '{client}' is not allowed to make application on-behalf-of calls.",
    ),
    Aadsts(50058, "login_required", "A silent sign-in request was sent but no user is signed in."),
    Aadsts(
        50196,
        "invalid_grant",
        "The server terminated an operation because it encountered a client"
        " request loop. Please contact your app vendor.",
    ),
    Aadsts(90055, "temporarily_unavailable", "Tenant is throttled: there are too many requests.", status=429),
    Aadsts(
        700054, "unsupported_response_type", "response_type 'id_token' is not enabled for the application."
    ),
    Aadsts(70005, "unsupported_response_type", "The app returned an unsupported response type: '{name}'."),
    Aadsts(
        50126,
        "invalid_grant",
        "Error validating credentials due to invalid username or password.",
        authorize_error="access_denied",
        at=At.PAGE,
    ),
    Aadsts(
        50057, "invalid_grant", "The user account is disabled.", authorize_error="access_denied", at=At.PAGE
    ),
    Aadsts(
        90002,
        "invalid_tenant",
        "Tenant '{name}' not found. Check to make sure you have the correct"
        " tenant ID and are signing into the correct cloud.",
        at=At.PAGE,
    ),
    Aadsts(
        9002326,
        "invalid_request",
        "Cross-origin token redemption is permitted only for the"
        " 'Single-Page Application' client-type. Request origin: '{name}'.",
    ),
    Aadsts(
        9002325,
        "invalid_request",
        "Proof Key for Code Exchange is required for cross-origin authorization code redemption.",
    ),
    Aadsts(
        9002327,
        "invalid_request",
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    ),
    Aadsts(90014, "invalid_request", "The required field '{name}' is missing from the credential."),
    Aadsts(
        70007,
        "invalid_request",
        "'{name}' is not a supported value of 'response_mode' when requesting a token.",
        at=At.PAGE,
    ),
    Aadsts(90033, "temporarily_unavailable", "A transient error has occurred. Please try again.", status=503),
)

CATALOGUE: Final = {row.number: row for row in _ROWS}
