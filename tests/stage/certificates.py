"""Certificates of servers, flawless and such that nobody should believe, and one of a client."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAY: Final = dt.timedelta(days=1)
_KEY: Final = ec.generate_private_key(ec.SECP256R1())
_AUTHORITY_KEY: Final = ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a server's certificate, or with the authority that signed it."""

    starts: dt.timedelta = -_DAY
    ends: dt.timedelta = _DAY
    ip: str = "127.0.0.1"
    signs_itself: bool = False
    for_clients: bool = False
    authority_may_sign: bool | None = True
    """None: the authority has no key usage at all."""
    trusted: bool = True


def server_context(folder: Path, flaw: Flaw) -> tuple[ssl.SSLContext, str]:
    """Return what a server on 127.0.0.1 proves itself with, and the path of the file that its clients trust."""
    authority_name, name = _name("an authority of a test"), _name("a server of a test")
    authority = _signed(
        authority_name, authority_name, _AUTHORITY_KEY, Flaw(), is_authority=True, flaw_of=flaw
    )
    issuer = (name, _KEY) if flaw.signs_itself else (authority_name, _AUTHORITY_KEY)
    certificate = _signed(name, issuer[0], issuer[1], flaw, is_authority=False, flaw_of=flaw)
    chain, bundle = folder / "chain.pem", folder / "trusted.pem"
    private = _KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    other = _signed(_name("another"), _name("another"), _KEY, Flaw(), is_authority=True, flaw_of=Flaw())
    bundle.write_bytes((authority if flaw.trusted else other).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, str(bundle)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(
    subject: x509.Name,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    times: Flaw,
    *,
    is_authority: bool,
    flaw_of: Flaw,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    key = signer if is_authority else _KEY
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + times.starts - _DAY)
        .not_valid_after(now + times.ends)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if not is_authority:
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if flaw_of.for_clients else ExtendedKeyUsageOID.SERVER_AUTH
        address = x509.IPAddress(ipaddress.ip_address(flaw_of.ip))
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False).add_extension(
            x509.SubjectAlternativeName([address]), critical=False
        )
    elif flaw_of.authority_may_sign is not None:
        builder = builder.add_extension(_usage(may_sign=flaw_of.authority_may_sign), critical=True)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, may_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not may_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=may_sign,
        crl_sign=may_sign,
        encipher_only=False,
        decipher_only=False,
    )


def client_certificate(folder: Path, key: rsa.RSAPrivateKey, days: int) -> tuple[Path, str]:
    """Write a certificate with its key, which ends in some days; return its path and its public half."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days, hours=1)
    x509_certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - dt.timedelta(days=400))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    pem = x509_certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{days}.pem"
    path.write_bytes(private + pem)
    return path, pem.decode()
