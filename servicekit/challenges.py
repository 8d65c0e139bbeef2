"""`WWW-Authenticate: Bearer …`, built and parsed into values.

Owns the grammar (RFC 9110, section 11.6.1), the bearer parameters (RFC 6750, section 3), step-up's `acr_values` and
`max_age` (RFC 9470) and Entra's `insufficient_claims` with base64 claims.
Never decides what a challenge means for a session, and never raises over what another server sent: a challenge
that can't be read is no challenge.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from servicekit.strict_json import NotStrictJson, load_strict_json

INVALID_REQUEST: Final = "invalid_request"
INVALID_TOKEN: Final = "invalid_token"  # noqa: S105 - an error code of RFC 6750
INSUFFICIENT_SCOPE: Final = "insufficient_scope"
INSUFFICIENT_CLAIMS: Final = "insufficient_claims"
INSUFFICIENT_USER_AUTHENTICATION: Final = "insufficient_user_authentication"

LONGEST_HEADER: Final = 16_384
_MOST_CHALLENGES: Final = 20
_LONGEST_AGE: Final = 9

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SCHEME: Final = re.compile(rf"[ \t,]*+({_WORD})(?=[ \t]|,|$)")
# token68 stands alone after its scheme: what follows it is a comma or the end.
_TOKEN68: Final = re.compile(r" +[A-Za-z0-9\-._~+/]++=*+[ \t]*+(?=,|$)")
# An unquoted value should be a token; URIs are seen there too, so anything goes that can't be mistaken.
_PARAMETER: Final = re.compile(
    rf'[ \t,]*+({_WORD})[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^ \t,"=][^ \t,"]*+))[ \t]*+(?=,|$)'
)
_ESCAPED: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerChallenge:
    """One challenge of the Bearer scheme; `claims` is JSON text, already decoded.

    `realm` may be the empty string, as Entra sends it.
    """

    error: str | None = None
    error_description: str | None = None
    realm: str | None = None
    authorization_uri: str | None = None
    client_id: str | None = None
    scope: str | None = None
    acr_values: str | None = None
    max_age: int | None = None
    claims: str | None = None

    def header(self) -> str:
        """Return the header's value, each parameter once.

        Raises ValueError for a value that no header can carry: control characters, or anything but ASCII.
        """
        values = {
            "realm": self.realm,
            "authorization_uri": self.authorization_uri,
            "client_id": self.client_id,
            "error": self.error,
            "error_description": self.error_description,
            "scope": self.scope,
            "acr_values": self.acr_values,
            "max_age": None if self.max_age is None else str(self.max_age),
            "claims": None if self.claims is None else base64.b64encode(self.claims.encode()).decode(),
        }
        drawn = ", ".join(f"{name}={_quoted(value)}" for name, value in values.items() if value is not None)
        return f"Bearer {drawn}" if drawn else "Bearer"


def parse_bearer_challenges(values: Iterable[str]) -> list[BearerChallenge]:
    """Return the Bearer challenges of all `WWW-Authenticate` headers of one answer, in their order.

    Other schemes are passed over. A challenge with a parameter twice is dropped (RFC 9110, section 11.2); what
    follows unreadable text in a header is dropped with it. Claims that are not base64 of a JSON object, and an
    age that is not a number, read as absent.
    """
    challenges: list[BearerChallenge] = []
    for value in values:
        for scheme, parameters in _challenges(value):
            if scheme.lower() == "bearer" and parameters is not None:
                challenges.append(_bearer(parameters))
            if len(challenges) >= _MOST_CHALLENGES:
                return challenges
    return challenges


def _challenges(header: str) -> Iterator[tuple[str, dict[str, str] | None]]:
    """Yield each scheme with its parameters, or with None where one of them appears twice."""
    if len(header) > LONGEST_HEADER:
        return
    at = 0
    while scheme := _SCHEME.match(header, at):
        at = scheme.end()
        alone = _TOKEN68.match(header, at)
        # `a=` is both: a token68 with padding and the begin of a parameter. Nothing after it means token68.
        if alone and not _PARAMETER.match(header, at):
            at = alone.end()
            yield scheme[1], {}
            continue
        parameters: dict[str, str] = {}
        twice = False
        while parameter := _PARAMETER.match(header, at):
            at = parameter.end()
            name = parameter[1].lower()
            twice = twice or name in parameters
            quoted = parameter[2]
            parameters[name] = parameter[3] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if not _at_next(header, at):
            return
        yield scheme[1], None if twice else parameters


def _at_next(header: str, at: int) -> bool:
    """Tell whether a challenge ended here cleanly: at the end, or at a comma before another scheme."""
    rest = header[at:].strip(" \t")
    return not rest.strip(", \t") or (rest.startswith(",") and _SCHEME.match(rest) is not None)


def _bearer(parameters: dict[str, str]) -> BearerChallenge:
    age = parameters.get("max_age", "")
    return BearerChallenge(
        error=parameters.get("error"),
        error_description=parameters.get("error_description"),
        realm=parameters.get("realm"),
        authorization_uri=parameters.get("authorization_uri"),
        client_id=parameters.get("client_id"),
        scope=parameters.get("scope"),
        acr_values=parameters.get("acr_values"),
        max_age=int(age) if age.isascii() and age.isdigit() and len(age) <= _LONGEST_AGE else None,
        claims=_claims(parameters.get("claims")),
    )


def _claims(text: str | None) -> str | None:
    """Decode claims: standard or URL-safe base64, with or without its padding, of a JSON object."""
    if not text:
        return None
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
        value = load_strict_json(decoded)
    except (binascii.Error, NotStrictJson, ValueError):
        return None
    return decoded.decode() if isinstance(value, dict) else None


def _quoted(value: str) -> str:
    if not value.isascii() or not (value.isprintable() or not value):
        raise ValueError("a challenge's parameter holds a character that a header can't carry")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
