"""The secrets of local work: made once, kept in .local/secrets.json for this user's eyes only.

Owns that file. The sealing key is kept so that a restarted gateway can open the sessions in a Redis of your own;
the client secrets are kept so that a part started by hand can be given the same ones.
Never used in production: the production images do not contain this package.
"""

import base64
import contextlib
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path


def new_token() -> str:
    """Make a password that nobody has to type: 256 random bits."""
    return secrets.token_urlsafe(32)


def _sealing_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """Client secrets of the two app registrations and the gateway's sealing key."""

    gateway_client_secret: str = field(default_factory=new_token, repr=False)
    api_client_secret: str = field(default_factory=new_token, repr=False)
    sealing_keys: str = field(default_factory=_sealing_key, repr=False)


def load_or_make(directory: Path) -> LocalSecrets:
    """Read the secrets kept in a directory; make and write them (mode 0600) the first time, or when unreadable."""
    path = directory / "secrets.json"
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        names = {entry.name for entry in fields(LocalSecrets)}
        if (
            isinstance(content, dict)
            and set(content) == names
            and all(isinstance(value, str) for value in content.values())
        ):
            return LocalSecrets(**content)
    fresh = LocalSecrets()
    directory.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a launcher killed half-way leaves the old file or the new one.
    beside = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(
        os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        json.dump(asdict(fresh), file, indent=2)
    beside.replace(path)
    return fresh
