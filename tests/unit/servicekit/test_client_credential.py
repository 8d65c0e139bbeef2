"""A certificate with its key, and what is none."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from servicekit.client_credential import (
    CertificateKey,
    CredentialSource,
    credential_source,
    read_certificate,
)

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
    "pem, sentence",
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
def test_what_is_no_credential_is_told_in_a_phrase(pem: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CertificateKey(pem)


def test_R22_a_changed_file_is_read_again_and_one_that_did_not_change_is_not(tmp_path: Path) -> None:
    file, reads = tmp_path / "secret", 0
    file.write_text("first\n")

    def read() -> str:
        nonlocal reads
        reads += 1
        return file.read_text().strip()

    source = CredentialSource(read, file)

    assert [source(), source(), reads] == ["first", "first", 1]
    file.write_text("second\n")
    assert [source(), source(), reads] == ["second", "second", 2]


def test_R22_a_new_file_that_cannot_be_used_leaves_the_last_good_one(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem_of(KEY) + certificate_pem(KEY))
    source = credential_source(None, str(file), {})
    good = source()

    for broken in (b"", b"-----BEGIN half", pem_of(KEY)):
        file.write_bytes(broken)
        assert source() is good
    file.unlink()
    assert source() is good
    file.write_bytes(pem_of(OTHER) + certificate_pem(OTHER))

    newest = source()
    assert isinstance(newest, CertificateKey)
    assert newest.thumbprint == certificate(OTHER).fingerprint(hashes.SHA256()).hex()


def test_R22_an_emptied_secret_file_leaves_the_last_good_secret(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    source = credential_source("first", None, {"client_secret": file})

    file.write_text("\n")
    assert source() == "first"
    file.write_text("second\n")
    assert source() == "second"


def test_a_credential_without_a_file_stays_as_it_is() -> None:
    text = (pem_of(KEY) + certificate_pem(KEY)).decode()

    assert credential_source("secret", None, {})() == "secret"
    assert credential_source(None, text, {})() is not None


def test_S35_a_certificate_file_that_is_not_there_is_told_without_its_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^names a file that can't be read: No such file or directory$"):
        read_certificate(str(tmp_path / "nowhere.pem"))


def test_A8_S38_a_key_that_is_too_short_to_sign_with_is_refused() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - what must be refused

    with pytest.raises(ValueError, match="holds a key of 1024 bits, and 2048 are the least"):
        CertificateKey(pem_of(short) + certificate_pem(short))
