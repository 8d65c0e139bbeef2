"""The doctor's look at what the authority's metadata lists, beside what the API will ask for.

Owns which lists matter to reading callers' tokens and to the exchange on their behalf. Never asks the authority
anything.
"""

from typing import Final

from resource_api.settings import Settings
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.findings import Finding, not_looked_at
from servicekit.doctor.metadata import (
    CLIENT_AUTHENTICATION,
    SIGNING_ALGORITHMS,
    look_at_client_authentication,
    look_at_signing_algorithms,
    needed,
)

EXCHANGE: Final = "exchange"
CHECKS: Final = (CLIENT_AUTHENTICATION, SIGNING_ALGORITHMS, EXCHANGE)


def look_at_metadata(settings: Settings, metadata: AuthorityMetadata | None, *, failed: str) -> list[Finding]:
    """Return a finding for each of CHECKS; `failed` names the check without which there is no metadata."""
    if metadata is None:
        return [not_looked_at(check, failed) for check in CHECKS]
    return [
        look_at_client_authentication(settings, metadata),
        look_at_signing_algorithms(settings, metadata),
        needed(
            EXCHANGE,
            metadata,
            "grant_types_supported",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
            consequence="nobody can save: the exchange on behalf of people is Entra's alone",
            fix="Put this API behind Entra, and RESOURCE_API_AUTHORITY to the issuer of its tokens; another provider's "
            "people need another API.",
        ),
    ]
