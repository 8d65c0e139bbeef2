"""An orchestrator that writes tokens for a workload, and the registration that trusts them."""

import functools
import time
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization

from local_tenant.signing import SigningKey, generate_key

ISSUER: Final = "https://oidc.cluster.example/id"
AUDIENCE: Final = "api://AzureADTokenExchange"


@functools.cache
def _key() -> SigningKey:
    """Make the orchestrator's key where a test needs it, not where tests are collected."""
    return generate_key()


def subject(name: str) -> str:
    """Return a service account as Kubernetes names it."""
    return f"system:serviceaccount:stepup:{name}"


def registered(name: str) -> dict[str, Any]:
    """Return what an administrator changes in an app registration: no secret any more, and whom to trust."""
    certificate = _key().certificate.public_bytes(serialization.Encoding.PEM).decode()
    trusted = {"issuer": ISSUER, "subject": subject(name), "audience": AUDIENCE, "certificate": certificate}
    return {"secrets": [], "federated_credentials": [trusted]}


def token(name: str, **changed: Any) -> str:
    """Return a token for a service account, good for an hour; None takes a claim away."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": subject(name),
        "aud": [AUDIENCE],
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        **changed,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, _key().private, "RS256")


def project(folder: Path, content: str) -> Path:
    """Write the token as the kubelet does: a link that leads to another file at once."""
    written = folder / f"..{time.monotonic_ns()}"
    written.write_text(content)
    fresh = folder / "..new"
    fresh.symlink_to(written)
    return fresh.replace(folder / "token")
