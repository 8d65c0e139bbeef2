"""A certificate for this computer alone, so that the gateway can serve https in local work.

Owns its making and keeping, in .local/ for this user's eyes only. Nobody is told to trust it: the browser warns once,
and the person goes on. Never used in production: there a proxy ends TLS, or GATEWAY_TLS_PEM names a certificate of an
authority.
"""

import contextlib
import datetime as dt
import ipaddress
import os
from pathlib import Path
from typing import Final

# Longer than browsers take, they refuse it; within the last month another one is made.
_LIFE: Final = dt.timedelta(days=397)
_LEFT: Final = dt.timedelta(days=30)


def https_settings(directory: Path, port: int) -> dict[str, str]:
    """Return the gateway's settings for https at `port`; the certificate is kept in `directory`."""
    return {
        "GATEWAY_PUBLIC_URL": f"https://localhost:{port}",
        "GATEWAY_TLS_PEM": str(load_or_make(directory / "localhost.pem", dt.datetime.now(dt.UTC))),
    }


def load_or_make(path: Path, now: dt.datetime, host: str = "localhost") -> Path:
    """Return the path of a PEM file with certificate and key, made anew where it is missing, unreadable or too old.

    It is one for `host` on this computer.
    """
    from cryptography import x509  # noqa: PLC0415 -- only there once the environment is installed

    with contextlib.suppress(OSError, ValueError):
        if x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc > now + _LEFT:
            return path
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a launcher killed half-way leaves the old file or the new one.
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_made(now, host))
    beside.replace(path)
    return path


def _made(now: dt.datetime, host: str) -> bytes:
    from cryptography import x509  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 -- as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 -- as above
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415 -- as above

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{host} (Stepup)")])
    addresses = (x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + private
