"""The doctor's look at what the authority's metadata lists as supported, beside what a service will ask for.

Owns the reading of such a list, what a list means that is not there, and the two mismatches that both services can
meet: how they prove themselves, and what tokens are signed by.
Never asks the authority anything: the document is at hand. What a list says of a scope or a page of the authority's is
its word only, so that most mismatches are named with their consequence.
Sources: OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from servicekit.authority_settings import AuthoritySettings
from servicekit.discovery import AuthorityMetadata
from servicekit.doctor.findings import Finding, Status, fault, ok, warning
from servicekit.jwt_signatures import ALGORITHMS
from servicekit.strict_json import load_strict_json

CLIENT_AUTHENTICATION: Final = "client authentication"
SIGNING_ALGORITHMS: Final = "signing algorithms"

_SECRET: Final = "client_secret_post"  # noqa: S105 - the name of a method
_ASSERTION: Final = "private_key_jwt"
_ASSERTION_ALGORITHM: Final = "PS256"
_MOST_SHOWN: Final = 8
_WORD: Final = re.compile(r"[\w.:/+-]{1,40}", re.ASCII)


def listed(metadata: AuthorityMetadata, member: str) -> tuple[str, ...] | None:
    """Return what the metadata lists under a name, or None where it has no such list."""
    document: dict[str, Any] = load_strict_json(metadata.document.encode())
    values = document.get(member)
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else None


def is_promised(metadata: AuthorityMetadata, member: str) -> bool | None:
    """Return what the metadata says of a thing that is supported or not, None where it does not say."""
    document: dict[str, Any] = load_strict_json(metadata.document.encode())
    value = document.get(member)
    return value if isinstance(value, bool) else None


def shown(values: Sequence[str]) -> str:
    """Return a list as a sentence shows it; words of another form than names have are left out."""
    words = [value for value in values if _WORD.fullmatch(value)]
    return ", ".join(words[:_MOST_SHOWN]) + (", …" if len(words) > _MOST_SHOWN else "") or "nothing"


def needed(
    check: str,
    metadata: AuthorityMetadata,
    member: str,
    wanted: str,
    *,
    consequence: str,
    fix: str,
    status: Status = Status.FAULT,
) -> Finding:
    """Return whether `wanted` is in the list called `member`; a list that is not there forbids nothing.

    `consequence` goes on from "so that", `fix` says what would help.
    """
    values = listed(metadata, member)
    if values is None:
        return ok(check, f"the metadata has no {member}; {wanted} is asked for")
    if wanted in values:
        return ok(check, f"{member} has {wanted}")
    sentence = f"{member} has {shown(values)}, and not {wanted}, so that {consequence}"
    return Finding(check, status, sentence, fix)


def look_at_client_authentication(settings: AuthoritySettings, metadata: AuthorityMetadata) -> Finding:
    """Compare how the service proves itself with what the token endpoint takes."""
    member = "token_endpoint_auth_methods_supported"
    secret = settings.client_secret is not None
    method = _SECRET if secret else _ASSERTION
    values = listed(metadata, member)
    if values is None and settings.tenant_id is None:
        return warning(
            CLIENT_AUTHENTICATION,
            f"the metadata has no {member}, which means client_secret_basic alone; {method} is sent",
            f"Nothing, where the client credential is accepted; else let this client use {method} at the authority.",
        )
    if values is not None and method not in values:
        other = f"a certificate ({settings.prefix}CLIENT_CERTIFICATE)" if secret else "a client secret"
        would = f", or set {other} instead" if (_ASSERTION if secret else _SECRET) in values else ""
        return fault(
            CLIENT_AUTHENTICATION,
            f"{member} has {shown(values)}, and this service proves itself by {method}",
            f"Let this client use {method} at the authority{would}.",
        )
    if settings.client_certificate is not None:
        return needed(
            CLIENT_AUTHENTICATION,
            metadata,
            "token_endpoint_auth_signing_alg_values_supported",
            _ASSERTION_ALGORITHM,
            consequence=f"the assertion that the certificate's key signs by {_ASSERTION_ALGORITHM} may be refused",
            fix=f"Let the authority take {_ASSERTION_ALGORITHM}, or set a client secret instead.",
        )
    return ok(CLIENT_AUTHENTICATION, f"the token endpoint takes {method}")


def look_at_signing_algorithms(settings: AuthoritySettings, metadata: AuthorityMetadata) -> Finding:
    """Compare what tokens are signed by with what is accepted."""
    member, accepted = "id_token_signing_alg_values_supported", metadata.signing_algorithms & ALGORITHMS
    if accepted or settings.tenant_id:
        return ok(SIGNING_ALGORITHMS, f"{shown(sorted(accepted)) if accepted else 'RS256'} is accepted")
    return fault(
        SIGNING_ALGORITHMS,
        f"{member} has {shown(sorted(metadata.signing_algorithms))}, and no token so signed is believed",
        "Give the authority a signing key of RSA, EC or Ed25519, and let it sign by RS256, PS256, ES256 or EdDSA: "
        "whoever can check a signature made with a shared secret could make one as well.",
    )
