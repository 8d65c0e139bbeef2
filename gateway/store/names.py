"""What records are called in Redis.

Owns every key of the gateway; LIST in `scripts.py` builds a session's key from the index as well.
All start with one prefix, so that one line of an access control list covers them, and those of one session share a hash
tag (`{family}`), also across a change of its id, so that a cluster keeps them together.
Never holds anything personal: whatever names a person, a session or a flow is hashed first.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "stepup"
_FAMILY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class SessionRef:
    """Names a session in Redis and in logs: its family and the hash of its id; opens nothing by itself."""

    family: str
    digest: str

    def __str__(self) -> str:
        return f"{self.family}:{self.digest}"

    @property
    def packed(self) -> bytes:
        """Its 48 bytes for an index: a set with members of more than 64 takes Redis four times the memory."""
        return base64.urlsafe_b64decode(f"{self.family}==") + bytes.fromhex(self.digest)

    @classmethod
    def unpack(cls, packed: bytes) -> "SessionRef":
        """Read back what `packed` wrote."""
        family = base64.urlsafe_b64encode(packed[:_FAMILY_BYTES]).rstrip(b"=").decode()
        return cls(family, packed[_FAMILY_BYTES:].hex())

    @property
    def key(self) -> str:
        """The session's hash; its id is written as shortly as in an index, as there are as many keys as sessions."""
        return f"{PREFIX}:{{{self.family}}}:{_written(bytes.fromhex(self.digest))}"

    @property
    def short(self) -> str:
        """Enough to tell sessions apart in a log."""
        return self.digest[:12]


def record_key(kind: str, owner: str) -> str:
    """Name a single record."""
    return f"{PREFIX}:{kind}:{owner}"


def tombstone_key(ref: SessionRef) -> str:
    """Name what is left of an ended session."""
    return f"{ref.key}:ended"


def lock_key(ref: SessionRef, name: str) -> str:
    """Name a lock on a session."""
    return f"{ref.key}:lock:{name}"


def index_key(kind: str, owner: str) -> str:
    """Name the set of sessions that belong together."""
    return f"{PREFIX}:index:{kind}:{owner}"


def digest_of(*parts: str) -> str:
    """Return a SHA-256 that names something without telling it: 43 characters of base64url.

    Of any text: aiohttp hands bytes that are no UTF-8 on as lone surrogates.
    """
    return _written(hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).digest())


def _written(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
