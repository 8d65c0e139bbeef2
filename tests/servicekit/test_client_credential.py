"""A certificate with its key, and what is none."""

import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from servicekit.client_credential import CertificateKey

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
ELLIPTIC = ec.generate_private_key(ec.SECP256R1())


def pem_of(key: Private, password: bytes | None = None) -> bytes:
    lock = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def certificate(key: Private) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )


def certificate_pem(key: Private) -> bytes:
    return certificate(key).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize("pem", [pem_of(KEY) + certificate_pem(KEY), certificate_pem(KEY) + pem_of(KEY)])
def test_key_and_certificate_are_read_in_either_order(pem: bytes) -> None:
    read = CertificateKey(pem)

    assert read.thumbprint == certificate(KEY).fingerprint(hashes.SHA256()).hex()
    assert read.not_valid_after.year == 2033
    assert read.key.private_numbers() == KEY.private_numbers()


def test_S35_its_print_shows_the_thumbprint_alone() -> None:
    read = CertificateKey(pem_of(KEY) + certificate_pem(KEY))

    assert repr(read) == f"CertificateKey(thumbprint={read.thumbprint!r})"


@pytest.mark.parametrize(
    "pem, told",
    [
        (b"", "no unencrypted private key"),
        (b"nonsense", "no unencrypted private key"),
        (certificate_pem(KEY), "no unencrypted private key"),
        (pem_of(KEY, b"password") + certificate_pem(KEY), "no unencrypted private key"),
        (pem_of(KEY), "no certificate"),
        (pem_of(ELLIPTIC) + certificate_pem(ELLIPTIC), "not RSA"),
        (pem_of(OTHER) + certificate_pem(KEY), "does not belong"),
    ],
)
def test_what_is_no_credential_is_told_in_a_phrase(pem: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        CertificateKey(pem)
