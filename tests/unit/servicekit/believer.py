"""A verifier that needs no network."""

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from servicekit.jwt_verifier import UNKNOWN_KEY, JwtVerifier, SigningKeys, TokenRejected
from tests.unit.servicekit.authority import NOW, RULES, Signer


class KnownKeys(SigningKeys):
    """Keys that need no network, and count how often they are asked for."""

    def __init__(self, signers: list[Signer]) -> None:
        self.signers = signers
        self.asked = 0

    async def key(self, kid: str | None) -> RSAPublicKey:
        self.asked += 1
        for signer in self.signers:
            if kid == signer.kid:
                return signer.private.public_key()
        raise TokenRejected(UNKNOWN_KEY)


class Believer:
    """A verifier with one key, at a fixed time."""

    def __init__(self) -> None:
        self.signer = Signer("one")
        self.keys = KnownKeys([self.signer])
        self.verifier = JwtVerifier(self.keys, now=lambda: NOW)

    async def rejection(self, token: str) -> TokenRejected:
        """Return why a token is refused; the reason never holds any of it."""
        with pytest.raises(TokenRejected) as caught:
            await self.verifier.verify(token, RULES)
        reason = str(caught.value)
        assert all(part not in reason for part in token.split(".") if len(part) > 20)
        return caught.value
