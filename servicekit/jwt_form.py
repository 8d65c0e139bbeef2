"""The outer form of a signed token (RFC 7515, compact serialisation), judged before any cryptography.

Owns the splitting into three parts, the strict base64url, the header's members, and TokenRejected with its codes.
Each part is decoded once: what is verified and what is read afterwards are the same bytes.
Never verifies a signature, and never judges a claim: it only reads the payload as one JSON object.
"""

import base64
import functools
from dataclasses import dataclass
from typing import Any, Final

from servicekit.strict_json import NotStrictJson, load_strict_json

MALFORMED: Final = "malformed"
HEADER: Final = "header"
ALGORITHM: Final = "algorithm"
UNKNOWN_KEY: Final = "unknown-key"
SIGNATURE: Final = "signature"
CLAIM_MISSING: Final = "claim-missing"
CLAIM_INVALID: Final = "claim-invalid"
EXPIRED: Final = "expired"
NOT_YET_VALID: Final = "not-yet-valid"

# Entra names up to 200 groups in a token, which makes 12 kB of it (docs/reference/settings.md); more is nobody's token.
LONGEST_TOKEN: Final = 16_384
_LONGEST_KID: Final = 256
# An authority writes the same header before every token of a key: Entra's has some 90 characters.
_LONGEST_KEPT: Final = 512
_MOST_KEPT: Final = 256

# A header that brings its own key or its own rules is refused rather than ignored: whoever reads the token after
# us may be less careful. `zip` and `enc` belong to encrypted tokens, `b64` (RFC 7797) needs `crit`, and of `crit` we
# understand nothing.
_REFUSED_MEMBERS: Final = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty"})


class TokenRejected(Exception):
    """A token that must not be believed.

    `code` is one of this module's constants, `claim` the claim or header member at fault, where one is.
    `keys_may_be_old` says that newer keys of the authority could still prove it, and none could be had now.
    `seconds` is by how much a moment lies ahead, or is over, where the time speaks against it.
    The message consists of code and claim, and never of anything from the token.
    """

    def __init__(
        self, code: str, claim: str | None = None, *, keys_may_be_old: bool = False, seconds: float = 0
    ) -> None:
        super().__init__(f"{code}: {claim}" if claim else code)
        self.seconds = seconds
        self.code = code
        self.claim = claim
        self.keys_may_be_old = keys_may_be_old

    @property
    def is_of_the_clock(self) -> bool:
        """Tell whether nothing but the time speaks against it, by our clock."""
        return self.code in {EXPIRED, NOT_YET_VALID}


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """What a token says of itself; nothing of it is believed yet.

    `typ` is in lower case, without "application/", and "" where there is none.
    """

    algorithm: str
    kid: str | None
    typ: str


@dataclass(frozen=True, slots=True)
class SignedToken:
    """The three parts of a token, decoded: `signature` is said to prove `signed`, whose second part is `payload`."""

    header: TokenHeader
    signed: bytes
    payload: bytes
    signature: bytes


def read_token(
    token: str, types: frozenset[str], algorithms: frozenset[str], *, longest: int = LONGEST_TOKEN
) -> SignedToken:
    """Return the parts of a compact token, if it is one that we verify; nothing of it is believed yet.

    `types` are the `typ` values to accept, in lower case; a missing `typ` is accepted (RFC 7519, section 5.1).
    `algorithms` are the `alg` values, to the letter; `longest` is how many characters a token may have.
    Raises TokenRejected (malformed, header, algorithm).
    """
    if len(token) > longest:
        raise TokenRejected(MALFORMED)
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature; five would be an encrypted token
        raise TokenRejected(MALFORMED)
    head, payload, signature = parts
    read = _header if len(head) <= _LONGEST_KEPT else _header.__wrapped__
    content, sign = _decode(payload), _decode(signature)
    return SignedToken(read(head, types, algorithms), f"{head}.{payload}".encode(), content, sign)


# What a text says does not change: this is no memory of what was believed.
@functools.lru_cache(_MOST_KEPT)
def _header(head: str, types: frozenset[str], algorithms: frozenset[str]) -> TokenHeader:
    header = _object(_decode(head))
    if refused := _REFUSED_MEMBERS & header.keys():
        raise TokenRejected(HEADER, min(refused))
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenRejected(ALGORITHM)
    typ = header.get("typ", "")
    # "application/" may be left out of a media type (RFC 7515, section 4.1.9).
    typ = typ.lower().removeprefix("application/") if isinstance(typ, str) else None
    if typ is None or (typ and typ not in types):
        raise TokenRejected(HEADER, "typ")
    kid = header.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _LONGEST_KID):
        raise TokenRejected(HEADER, "kid")
    return TokenHeader(algorithm, kid, typ)


def read_payload(payload: bytes) -> dict[str, Any]:
    """Return the claims of a verified token; raises TokenRejected (malformed)."""
    return _object(payload)


def _object(part: bytes) -> dict[str, Any]:
    try:
        value = load_strict_json(part)
    except NotStrictJson as error:
        raise TokenRejected(MALFORMED) from error
    if not isinstance(value, dict):
        raise TokenRejected(MALFORMED)
    return value


def _decode(part: str) -> bytes:
    """Decode base64url without padding, in its one canonical spelling (RFC 7515, section 2)."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:  # what is no ASCII, too
        raise TokenRejected(MALFORMED) from error
    # Python's decoder passes over foreign characters, padding and spare bits: none of them comes out again.
    if not part or base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise TokenRejected(MALFORMED)
    return decoded
