"""Signatures that a key has proven of late: the mathematics of the same bytes is done once.

Owns which tokens those are, by their digests. A signature that is proven stays so: key, bytes and answer are one
function, and who finds other bytes with the same SHA-256 needs no key to forge what RS256 signs.
Never holds a token, never remembers a refusal, and believes nothing by itself: the verifier says which keys count
at this moment, and whatever a token says, its times first, is judged each time that it comes.

docs/explanation/decisions/2026-11-27-signatures-proven-once.md
"""

import hashlib
from typing import Final

from servicekit.jwt_form import SignedToken
from servicekit.jwt_signatures import Proof, VerificationKey, is_proven

MOST_TOKENS: Final = 5_000


class ProvenSignatures:
    """Remembers `most` tokens, the ones that were proven last; `prove` does the mathematics."""

    def __init__(self, *, most: int = MOST_TOKENS, prove: Proof = is_proven) -> None:
        self._most = most
        self._prove = prove
        self._keys: dict[bytes, VerificationKey] = {}

    def prove(self, token: SignedToken, key: VerificationKey) -> bool:
        """Tell whether `key` proves the signature of a token, as `is_proven` does.

        Of a key that was fetched anew it is calculated anew, be it the same one.
        """
        # Header and payload have no dots, so these bytes are one token and no other.
        digest = hashlib.sha256(token.signed + b"." + token.signature).digest()
        if self._keys.get(digest) is key:
            return True
        if not self._prove(token, key):
            return False
        self._keys[digest] = key
        if len(self._keys) > self._most:
            del self._keys[next(iter(self._keys))]
        return True
