"""What Entra's AADSTS numbers mean in plain words: the cause, and what to do about it.

Owns the table of the numbers that the doctor's own requests can bring.
Never decides anything: Microsoft warns that the numbers change, so what a refusal is follows from its OAuth error, and
a number only adds words. Source: Microsoft's list of authentication and authorization error codes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why the authority refuses, and which setting or which page of the Entra admin center mends it."""

    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words for a number need of the service whose request was refused, and of the request.

    `prefix` is what the service's settings begin with, `owner` whose app registration it is ("the gateway's"), `scope`
    what to compare where a scope or a resource is refused.
    """

    prefix: str
    owner: str
    scope: str = ""

    def applied(self, explanation: Explanation) -> Explanation:
        """Return an explanation of the table as this service's people read it."""
        texts = {
            "prefix": self.prefix,
            "app": f"App registrations > ({self.owner})",
            "enterprise": f"Enterprise applications > ({self.owner})",
            "scope": self.scope,
        }
        return Explanation(explanation.cause.format(**texts), explanation.fix.format(**texts))


_CONSENT: Final = (
    "{app} > API permissions: add what is missing, then Grant admin consent; in an external tenant "
    "people cannot consent themselves."
)
_TENANT: Final = "Compare {prefix}TENANT_SUBDOMAIN and {prefix}TENANT_ID with the tenant's Overview page."
_POLICY: Final = (
    "Protection > Conditional Access: no policy may stand in the way of the application; target the API."
)
_TRUST: Final = (
    "{app} > Certificates & secrets > Federated credentials: issuer, subject and audience must be those of the "
    "token in {prefix}FEDERATED_TOKEN_FILE, to the letter, upper and lower case included."
)

EXPLANATIONS: Final = {
    7000215: Explanation(
        "the client secret is wrong; often it is the secret's id instead of its value",
        "{app} > Certificates & secrets: make a new secret, and put its Value, which is shown once, into "
        "{prefix}CLIENT_SECRET.",
    ),
    7000222: Explanation(
        "the client secret has expired",
        "{app} > Certificates & secrets: make a new secret, and put its Value into {prefix}CLIENT_SECRET.",
    ),
    7000218: Explanation(
        "the request carried no credential that the authority recognised",
        "Set {prefix}CLIENT_SECRET, {prefix}CLIENT_CERTIFICATE or {prefix}FEDERATED_TOKEN_FILE, and look that the "
        "app is of the platform Web.",
    ),
    7000112: Explanation(
        "the application is switched off",
        "{enterprise} > Properties: Enabled for users to sign in.",
    ),
    7000229: Explanation(
        "the application is registered, and has no enterprise application in this tenant",
        "{app} > API permissions > Grant admin consent makes one.",
    ),
    700016: Explanation(
        "the tenant knows no application with this client id",
        "Set {prefix}CLIENT_ID to the Application (client) ID of {app} > Overview. " + _TENANT,
    ),
    700027: Explanation(
        "the certificate is not among those registered with the application",
        "{app} > Certificates & secrets: upload the certificate of {prefix}CLIENT_CERTIFICATE, or set the one that is "
        "there.",
    ),
    70021: Explanation("no federated credential of the application matches the token", _TRUST),
    700211: Explanation("no federated credential of the application names the token's issuer", _TRUST),
    700212: Explanation("no federated credential of the application names the token's audience", _TRUST),
    700213: Explanation("no federated credential of the application names the token's subject", _TRUST),
    50166: Explanation(
        "the token's issuer could not be asked for its keys",
        "The issuer of the token must be an address that the authority reaches from the internet by https.",
    ),
    700024: Explanation(
        "the time in the signed assertion is not the authority's time",
        "Set this machine's clock by NTP; and look whether the token in {prefix}FEDERATED_TOKEN_FILE is renewed.",
    ),
    700023: Explanation(
        "the signed assertion names another audience than the authority",
        _TENANT,
    ),
    90002: Explanation("there is no such tenant", _TENANT),
    900021: Explanation("the tenant's id is not one", _TENANT),
    900023: Explanation("the tenant's name is not one", _TENANT),
    50011: Explanation(
        "the redirect URI is not registered with the application; it is compared to the letter",
        "{app} > Authentication > Web > Redirect URIs must hold exactly this one; "
        "or set {prefix}PUBLIC_URL to the address that is registered.",
    ),
    500113: Explanation(
        "the application has no redirect URI at all",
        "{app} > Authentication > Add a platform > Web.",
    ),
    500117: Explanation(
        "the redirect URI is plain http, which only localhost may be",
        "Set {prefix}PUBLIC_URL to an https address, and register that one.",
    ),
    65001: Explanation("no administrator has consented to this permission", _CONSENT),
    65005: Explanation("the application asks for a resource that is not among its permissions", _CONSENT),
    90094: Explanation("an administrator must consent to this permission", _CONSENT),
    650057: Explanation("the resource is not among the application's permissions", _CONSENT),
    650052: Explanation("the API has no enterprise application in this tenant", _CONSENT),
    650053: Explanation("the API exposes no scope of this name", "{scope}"),
    70011: Explanation("there is no scope of this name, or it is not written as it should be", "{scope}"),
    500011: Explanation("the tenant knows no API with this Application ID URI", "{scope}"),
    500014: Explanation(
        "the API is switched off in this tenant",
        "Enterprise applications > (the API's) > Properties: Enabled for users to sign in.",
    ),
    501051: Explanation(
        "the application is not assigned to the API, which demands an assignment",
        "Enterprise applications > (the API's) > Properties: Assignment required, No.",
    ),
    53003: Explanation("a Conditional Access policy blocks the request", _POLICY),
    90055: Explanation("the tenant gets too many requests", "Wait a minute, and look again."),
    90033: Explanation("the authority has trouble of its own", "Wait a minute, and look again."),
}

_NUMBER: Final = re.compile(r"AADSTS([0-9]{5,8})(?![0-9])")
_MOST: Final = 5


def numbers_in(text: str) -> tuple[int, ...]:
    """Return the AADSTS numbers that a text names, each once, in their order; at most five."""
    return tuple(dict.fromkeys(int(number) for number in _NUMBER.findall(text)))[:_MOST]


def explained(numbers: Iterable[int], otherwise: Explanation, wording: Wording) -> Explanation:
    """Return the words for the first number that has any, which `otherwise` stands in for."""
    known = next((EXPLANATIONS[number] for number in numbers if number in EXPLANATIONS), None)
    return wording.applied(known) if known else otherwise


def named(numbers: Iterable[int]) -> str:
    """Return numbers as people look them up, in brackets; nothing where there are none."""
    names = ", ".join(f"AADSTS{number}" for number in numbers)
    return f" ({names})" if names else ""
