"""How a service proves itself to the authority: a secret, or a certificate's key.

Owns the reading of the certificate and the making of client assertions (RFC 7523; Entra: PS256 with `x5t#S256`).
Never writes either into a message.
"""

from collections.abc import Callable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class CertificateKey:
    """A parsed private key with its certificate's SHA-256 thumbprint (hex).

    Parsed once: handing MSAL the PEM would parse it at every token request, about 28 ms with the GIL held.
    """

    def __init__(self, pem: bytes) -> None:
        """Read a PEM file that holds both the certificate and its RSA key; raises ValueError with a sentence."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise ValueError("holds no unencrypted private key in PEM form") from error
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("holds a key that is not RSA")  # noqa: TRY004 - one kind of fault for one setting
        try:
            certificate = x509.load_pem_x509_certificate(pem)
        except ValueError as error:
            raise ValueError("holds no certificate in PEM form") from error
        if certificate.public_key() != key.public_key():
            raise ValueError("holds a key that does not belong to its certificate")
        self.key = key
        self.thumbprint = certificate.fingerprint(hashes.SHA256()).hex()
        self.not_valid_after = certificate.not_valid_after_utc

    def __repr__(self) -> str:
        return f"CertificateKey(thumbprint={self.thumbprint!r})"


Credential = str | CertificateKey
AssertionSource = Callable[[str, str], bytes]
