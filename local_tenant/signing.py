"""Keys and signatures: the only module that knows JWT mechanics. What goes into a token is ``tokens``' business.

Graph's tokens are signed over a transformed header, as Microsoft's are: nobody but Graph can verify them,
so nobody is tempted to parse them.
"""

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from local_tenant.clock import Clock

if TYPE_CHECKING:
    from jwt.types import Options

Claims = dict[str, object]
CLOCK_SKEW_SECONDS: Final = 300
_VALID_FOR: Final = dt.timedelta(days=3650)


class BadSignatureError(Exception):
    """A token isn't one, or nobody we know signed it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key with the self-signed certificate whose thumbprint names it."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def kid(self) -> str:
        """Return the key id: the certificate's SHA-1 thumbprint, as in Entra."""
        return thumbprint(self.certificate, hashes.SHA1())  # noqa: S303 - a name that Entra gives, not a defence

    def as_jwk(self, issuer: str) -> dict[str, object]:
        """Return the public half with Microsoft's extra members."""
        numbers = self.private.public_key().public_numbers()
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": _integer(numbers.n),
            "e": _integer(numbers.e),
            "x5c": [base64.b64encode(der).decode()],
            "cloud_instance_name": "microsoftonline.com",
            "issuer": issuer,
        }


def generate_key() -> SigningKey:
    """Return a new 2048-bit key; takes about a tenth of a second."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local stand-in signing key")])
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _VALID_FOR)
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private, certificate)


@dataclass(slots=True)
class KeyRing:
    """The tenant's keys: one signs, at least two are published, and they may roll at any moment."""

    make: Callable[[], SigningKey] = generate_key
    signing: SigningKey = field(init=False)
    published: list[SigningKey] = field(init=False)
    by_kid: dict[str, SigningKey] = field(init=False, default_factory=dict)
    """Every key that ever signed, by kid: the authority and Graph go on accepting their own tokens."""

    def __post_init__(self) -> None:
        self.published = [self.make(), self.make()]
        self.use(self.published[0])

    def use(self, key: SigningKey) -> None:
        """Sign with this key from now on."""
        self.signing = key
        self.by_kid[key.kid] = key

    def rotate(self, *, retire_old: bool) -> None:
        """Sign with the newest published key, and publish one more; the old one stays unless retired."""
        old = self.signing
        self.use(self.published[-1])
        self.publish_next()
        if retire_old and old in self.published:
            self.published.remove(old)

    def publish_next(self) -> None:
        """Publish one more key and keep signing with the present one."""
        self.published.append(self.make())

    def sign_with_unpublished(self) -> None:
        """Sign with a key that nobody can find: the fault of an authority whose key set lags behind."""
        self.use(self.make())

    def repair(self) -> None:
        """Sign with a published key again."""
        if self.signing not in self.published:
            self.use(self.published[0])

    def sign(self, claims: Claims, key: SigningKey | None = None, **header: str) -> str:
        """Return an RS256 token, by the signing key unless another is given.

        ``header`` adds members to ``typ``, ``alg`` and ``kid``.
        """
        key = key or self.signing
        return jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid, **header})

    def sign_for_graph(self, claims: Claims, nonce: str) -> str:
        """Return a token that only Graph can verify: it signs the nonce's hash and shows the nonce."""
        hashed = hashlib.sha256(nonce.encode()).hexdigest()
        head, _, rest = self.sign(claims, nonce=hashed, x5t=self.signing.kid).partition(".")
        return f"{_with_nonce(head, nonce)}.{rest}"

    def open_graph_token(self, token: str) -> Claims:
        """Return the claims of a token from ``sign_for_graph``. Raises BadSignatureError.

        Not checked here: times, audience.
        """
        head, _, rest = token.partition(".")
        try:
            nonce = json.loads(_decode(head))["nonce"]
            return self.open(f"{_with_nonce(head, hashlib.sha256(nonce.encode()).hexdigest())}.{rest}")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSignatureError("not one of Graph's tokens") from error

    def open(self, token: str) -> Claims:
        """Return the claims of one of our own tokens. Raises BadSignatureError.

        Not checked here: times, audience, issuer.
        """
        try:
            key = self.by_kid[jwt.get_unverified_header(token)["kid"]]
        except (jwt.PyJWTError, KeyError) as error:
            raise BadSignatureError("no key of ours") from error
        return _decode_with(token, key.private.public_key(), ["RS256"])


def read_certificate(pem: str) -> tuple[x509.Certificate, rsa.RSAPublicKey]:
    """Return a public certificate in PEM, and its RSA key. Raises ValueError, in words, for anything else."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("must be a public certificate in PEM") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("must be a certificate of an RSA key")  # noqa: TRY004 - the value is wrong, not its type
    return certificate, key


def open_client_assertion(token: str, certificates: tuple[str, ...]) -> tuple[Claims, float]:
    """Return the claims of a client assertion that one of these PEM certificates vouches for, and its expiry.

    PS256 with ``x5t#S256`` and RS256 with ``x5t`` are both in use. Raises BadSignatureError.
    Not checked here: issuer, subject, audience, time; see ``client_auth``.
    """
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise BadSignatureError("not a JWT") from error
    for pem in certificates:
        certificate, key = read_certificate(pem)
        # MSAL leaves the padding on, against RFC 7515 2; Entra takes both.
        sha256, sha1 = (str(header.get(name, "")).rstrip("=") for name in ("x5t#S256", "x5t"))
        named = sha256 == thumbprint(certificate, hashes.SHA256()) or sha1 == thumbprint(
            certificate,
            hashes.SHA1(),  # noqa: S303 - the header member's definition (RFC 7515 4.1.7)
        )
        if named:
            claims = _decode_with(token, key, ["PS256", "RS256"])
            expires = claims.get("exp")
            return claims, float(expires) if isinstance(expires, int | float) else 0.0
    raise BadSignatureError("no registered certificate has this thumbprint")


def claims_unverified(token: str) -> Claims:
    """Return what a token says, believed or not; nothing for what is no JWT."""
    try:
        claims: Claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return claims


def open_with_certificate(token: str, pem: str) -> Claims:
    """Return the claims of a token that the key of a PEM certificate signed (RS256). Raises BadSignatureError.

    Not checked here: issuer, subject, audience, time.
    """
    return _decode_with(token, read_certificate(pem)[1], ["RS256"])


def _decode_with(token: str, key: rsa.RSAPublicKey, algorithms: list[str]) -> Claims:
    # PyJWT would compare times with the machine's clock; ours may be set off on purpose, so callers do it.
    options: Options = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "verify_aud": False,
        "verify_iss": False,
    }
    try:
        return jwt.decode(token, key, algorithms=algorithms, options=options)
    except jwt.PyJWTError as error:
        raise BadSignatureError(str(error)) from error


def within_time(claims: Claims, clock: Clock) -> bool:
    """Tell whether ``nbf`` and ``exp`` allow the token now, with Entra's five minutes of grace before ``nbf``."""
    now = clock()
    not_before, expires = claims.get("nbf", now), claims.get("exp")
    return (
        isinstance(not_before, int | float)
        and isinstance(expires, int | float)
        and not_before - CLOCK_SKEW_SECONDS <= now < expires
    )


def thumbprint(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> str:
    """Return a certificate's thumbprint as base64url without padding."""
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=").decode()


def _integer(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def _with_nonce(head: str, nonce: str) -> str:
    header = json.loads(_decode(head))
    header["nonce"] = nonce
    return base64.urlsafe_b64encode(json.dumps(header, separators=(",", ":")).encode()).rstrip(b"=").decode()
