"""A verifier that needs no network."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from resource_api.proven_signatures import ProvenSignatures
from servicekit.jwt_form import ALGORITHM, SIGNATURE
from servicekit.jwt_signatures import VerificationKey, read_key
from servicekit.jwt_verifier import UNKNOWN_KEY, JwtVerifier, SigningKeys, TokenRejected
from tests.unit.servicekit.authority import NOW, RULES, Signer

T = TypeVar("T")


class KnownKeys(SigningKeys):
    """Keys of an authority that signs by RS256; they need no network, and count how often they are asked for."""

    def __init__(self, signers: list[Signer]) -> None:
        self.signers = signers
        self.asked = 0
        self._read: dict[str, VerificationKey] = {}

    async def opened(
        self, kid: str | None, algorithm: str, open_with: Callable[[VerificationKey], T | None]
    ) -> T:
        self.asked += 1
        if algorithm != "RS256":
            raise TokenRejected(ALGORITHM)
        for signer in self.signers:
            if kid == signer.kid:
                opened = open_with(self._key(signer))
                if opened is None:
                    raise TokenRejected(SIGNATURE)
                return opened
        raise TokenRejected(UNKNOWN_KEY)

    def _key(self, signer: Signer) -> VerificationKey:
        """Return a signer's key, which is read once as in production: a set lasts for an hour."""
        if signer.kid not in self._read:
            key = read_key(signer.jwk())
            assert key
            self._read[signer.kid] = key
        return self._read[signer.kid]


class Believer:
    """A verifier with one key, at a fixed time."""

    def __init__(self) -> None:
        self.signer = Signer("one")
        self.keys = KnownKeys([self.signer])
        self.verifier = JwtVerifier(self.keys, now=lambda: NOW, prove=ProvenSignatures().prove)

    async def rejection(self, token: str) -> TokenRejected:
        """Return why a token is refused; the reason never holds any of it."""
        with pytest.raises(TokenRejected) as caught:
            await self.verifier.verify(token, RULES)
        reason = str(caught.value)
        assert all(part not in reason for part in token.split(".") if len(part) > 20)
        return caught.value
