"""How a service proves itself to the authority: a secret, a certificate's key, or a token of another issuer.

Owns the reading of the first two, and noticing that the file of one has changed.
Never writes any of them into a message, and makes no client assertion: MSAL's door does.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from servicekit.federated_token import FederatedToken

# Of an RSA key that still signs anything (NIST SP 800-131A, section 3); Entra asks for as many.
LEAST_BITS: Final = 2048


class CertificateKey:
    """A parsed private key with its certificate's SHA-256 thumbprint (hex).

    Parsed once: handing MSAL the PEM would parse it at every token request, about 28 ms with the GIL held.
    """

    def __init__(self, pem: bytes) -> None:
        """Read a PEM file that holds both the certificate and its RSA key; raises ValueError with a sentence."""
        # Who has a secret, as most do, need not wait for any of it at the start.
        from cryptography import x509  # noqa: PLC0415
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise ValueError("holds no unencrypted private key in PEM form") from error
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("holds a key that is not RSA")  # noqa: TRY004 - one kind of fault for one setting
        if key.key_size < LEAST_BITS:
            raise ValueError(f"holds a key of {key.key_size} bits, and {LEAST_BITS} are the least")
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


Credential = str | CertificateKey | FederatedToken


def read_certificate(text: str) -> CertificateKey:
    """Read a certificate with its key, given as PEM or as the path of a PEM file; raises ValueError with a phrase."""
    if "-----BEGIN" in text:
        return CertificateKey(text.encode())
    try:
        return CertificateKey(Path(text).read_bytes())
    except (OSError, ValueError) as error:
        sentence = (
            f"names a file that can't be read: {error.strerror}" if isinstance(error, OSError) else str(error)
        )
        raise ValueError(sentence) from None


class CredentialSource:
    """The credential of now: a file that changes is read again, so that it rotates while the service runs.

    A new file that cannot be used, half written for instance, leaves the last good one in use. May be asked from
    several threads.
    """

    def __init__(self, read: Callable[[], Credential], file: Path | None = None) -> None:
        """Take how to read the credential, and the file that it is read from, if it is one; raises as `read` does."""
        self._read = read
        self._file = file
        self._last_stamp = self._stamp()
        self._credential = read()
        self._lock = threading.Lock()

    def __call__(self) -> Credential:
        """Return the credential."""
        stamp = self._stamp()
        with self._lock:
            if stamp != self._last_stamp and stamp is not None:
                try:
                    self._credential = self._read()
                except (OSError, ValueError):
                    return self._credential  # looked at again at the next use
                self._last_stamp = stamp
            return self._credential

    def _stamp(self) -> tuple[int, int, int] | None:
        """Return what changes with the file; None without one."""
        try:
            status = self._file.stat() if self._file else None
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino) if status else None


def credential_source(
    secret: str | None,
    certificate: str | None,
    files: Mapping[str, Path],
    *,
    federated_token_file: str | None = None,
) -> CredentialSource:
    """Return the source for `client_secret`, `client_certificate` or `federated_token_file`, of which one is set.

    `files` has the files that settings were read from, by the setting's name. Raises ValueError with a phrase.
    """
    if federated_token_file is not None:
        token = FederatedToken(Path(federated_token_file))
        return CredentialSource(lambda: token)
    if certificate is not None:
        inline = "-----BEGIN" in certificate
        file = files.get("client_certificate") or (None if inline else Path(certificate))
        return CredentialSource(lambda: read_certificate(str(file or certificate)), file)
    file = files.get("client_secret")
    return CredentialSource(lambda: _secret_in(file) if file else secret or "", file)


def _secret_in(file: Path) -> str:
    secret = file.read_text(encoding="utf-8-sig").strip()
    if not secret:
        raise ValueError("is empty")
    return secret
