"""Sealing: AES-256-GCM under a ring of keys.

Owns the envelope, the ring and the derivation of a record's key from a ring key and a secret that only the
browser holds.
Never decides what is sealed or for how long, and knows nothing of Redis.

Envelope: one byte of version, eight bytes of key id, twelve of nonce, then ciphertext with tag.
Version, key id, kind and owner are bound in as associated data, so that no record can be moved to another place.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.store.packing import NotPacked, pack, unpack

VERSION: Final = 1
KEY_BYTES: Final = 32
_ID: Final = 8
_NONCE: Final = 12
_HEAD: Final = 1 + _ID + _NONCE


class Unsealable(Exception):  # noqa: N818 - an outcome, handled as "not there"
    """The record was sealed by an unknown key, for another place, by a newer version, or was damaged."""


def read_key(text: str) -> bytes:
    """Return the 32 bytes that base64url `text` stands for; raises ValueError with a sentence."""
    try:
        key = base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    except ValueError as error:
        raise ValueError("is not base64url") from error
    if len(key) != KEY_BYTES:
        raise ValueError(f"holds {len(key)} bytes instead of {KEY_BYTES}")
    return key


class KeyRing:
    """The first key seals, all of them open; `on_rejected` is told the kind of each record that none opens."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        nonce: Callable[[int], bytes] = secrets.token_bytes,
        on_rejected: Callable[[str], None] | None = None,
    ) -> None:
        self._keys = {hashlib.sha256(b"key id" + key).digest()[:_ID]: key for key in keys}
        self._sealing = next(iter(self._keys))
        self._nonce = nonce
        self._on_rejected = on_rejected

    def seal(self, plain: bytes, *, kind: str, owner: str, secret: bytes = b"") -> bytes:
        """Pack and seal `plain` for one `kind` of record of one `owner`.

        `secret` is the browser's half of the key, where the flow has one.
        """
        head = bytes([VERSION]) + self._sealing + self._nonce(_NONCE)
        cipher = AESGCM(_derive(self._keys[self._sealing], kind, secret))
        return head + cipher.encrypt(head[-_NONCE:], pack(plain), _bound(head, kind, owner))

    def open(self, sealed: bytes, *, kind: str, owner: str, secret: bytes = b"") -> bytes:
        """Return what was sealed for the same kind, owner and secret; raises Unsealable."""
        try:
            return self._opened(sealed, kind, owner, secret)
        except Unsealable:
            if self._on_rejected:
                self._on_rejected(kind)
            raise

    def _opened(self, sealed: bytes, kind: str, owner: str, secret: bytes) -> bytes:
        head = sealed[:_HEAD]
        key = self._keys.get(head[1 : 1 + _ID])
        if len(head) < _HEAD or head[0] != VERSION or key is None:
            raise Unsealable
        try:
            packed = AESGCM(_derive(key, kind, secret)).decrypt(
                head[-_NONCE:], sealed[_HEAD:], _bound(head, kind, owner)
            )
            return unpack(packed)
        except (InvalidTag, NotPacked) as error:
            raise Unsealable from error


def _derive(key: bytes, kind: str, secret: bytes) -> bytes:
    # RFC 5869: a key per kind and per browser, so that Redis and the server's keys together open no idle session.
    return HKDF(SHA256(), KEY_BYTES, salt=secret, info=b"stepup " + kind.encode()).derive(key)


def _bound(head: bytes, kind: str, owner: str) -> bytes:
    return head[: 1 + _ID] + f"{kind}\0{owner}".encode()
