"""Everything random: GUIDs, opaque handles, one-time codes, lifetimes. Passed in, so that a test can seed it."""

import base64
import random
import uuid
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ids:
    """Draws from one source of randomness; the system's own unless a test hands in another."""

    source: random.Random = field(default_factory=random.SystemRandom)

    def guid(self) -> str:
        """Return a random GUID in lower case."""
        return str(uuid.UUID(bytes=self.source.randbytes(16), version=4))

    def opaque(self, size: int = 32) -> str:
        """Return ``size`` random bytes as base64url without padding: codes, cookies, refresh tokens."""
        return base64.urlsafe_b64encode(self.source.randbytes(size)).rstrip(b"=").decode()

    def digits(self, count: int) -> str:
        """Return a one-time code; the first digit may be 0."""
        return "".join(str(self.source.randrange(10)) for _ in range(count))

    def between(self, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        return self.source.randint(low, high)
