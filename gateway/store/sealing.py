"""Sealing: records packed, then AES-256-GCM under a ring of keys.

Owns the envelope, the ring and the derivation of a record's key from a ring key and a secret that only the
browser holds; and packing, as what is sealed does not compress: what is written in base64url is folded to the bytes
that it stands for, and all is deflated.
Never decides what is sealed or for how long, and knows nothing of Redis; unpacks only what was proven to be sealed by
us.

Envelope: one byte of version, eight bytes of key id, twelve of nonce, then ciphertext with tag.
Version, key id, kind and owner are bound in as associated data, so that no record can be moved to another place.
"""

import base64
import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.store.packing_dictionary import DICTIONARY
from servicekit.secret_keys import KEY_BYTES

VERSION: Final = 1
_ID: Final = 8
_NONCE: Final = 12
_HEAD: Final = 1 + _ID + _NONCE

LARGEST: Final = 1_000_000
_RAW: Final = -15
_LEVEL: Final = 6
_AS_IT_IS: Final = b"\0"
_FOLDED: Final = b"\1"
# The same without the dictionary.
_PLAIN: Final = b"\2"
_PLAIN_FOLDED: Final = b"\3"
_WAYS: Final = frozenset({_AS_IT_IS, _FOLDED, _PLAIN, _PLAIN_FOLDED})
_LENGTH: Final = 3
_NAME_DIGITS: Final = 32
# Longer than any id: those compress better as they are written, where they are written twice.
_LONG: Final = re.compile(rb"[A-Za-z0-9_-]{64,}")


class Unsealable(Exception):
    """The record was sealed by an unknown key, for another place, by a newer version, or was damaged."""


class NotPacked(Exception):
    """What was to be unpacked is not what we pack, or only a part of it, or is larger than anything we keep."""


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

    def names(self, kind: str, text: str) -> list[str]:
        """Return what `text` is called where it must not be told: a keyed hash, 32 digits, for each key of the ring.

        The first is the one to write down. Without the keys nobody can tell which text it is (HMAC, RFC 2104).
        """
        return [
            hmac.new(_derive(key, kind, b""), text.encode(), hashlib.sha256).hexdigest()[:_NAME_DIGITS]
            for key in self._keys.values()
        ]

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


def derived_key(key: bytes, purpose: str) -> bytes:
    """Return a key of its own for `purpose`, which tells nothing of the sealing key."""
    return _derive(key, purpose, b"")


def _derive(key: bytes, kind: str, secret: bytes) -> bytes:
    # RFC 5869: a key per kind and per browser, so that Redis and the server's keys together open no idle session.
    return HKDF(SHA256(), KEY_BYTES, salt=secret, info=b"stepup " + kind.encode()).derive(key)


def _bound(head: bytes, kind: str, owner: str) -> bytes:
    return head[: 1 + _ID] + f"{kind}\0{owner}".encode()


def pack(plain: bytes, *, dictionary: bytes = DICTIONARY) -> bytes:
    """Return `plain` in fewer bytes, as a rule: folded where that is the shorter way; `dictionary` is ours or empty."""
    as_it_is, folded = (_AS_IT_IS, _FOLDED) if dictionary else (_PLAIN, _PLAIN_FOLDED)
    packed = as_it_is + _deflated(plain, dictionary)
    if not _LONG.search(plain):
        return packed
    return min(packed, folded + _deflated(_folded(plain), dictionary), key=len)


def unpack(packed: bytes) -> bytes:
    """Return what was packed; raises NotPacked, also for more than LARGEST bytes, before there are many more."""
    way, deflated = packed[:1], packed[1:]
    is_plain = way in {_PLAIN, _PLAIN_FOLDED}
    unpacking = zlib.decompressobj(_RAW) if is_plain else zlib.decompressobj(_RAW, zdict=DICTIONARY)
    try:
        plain = unpacking.decompress(deflated, LARGEST)
    except zlib.error as error:
        raise NotPacked from error
    if not unpacking.eof or unpacking.unused_data or way not in _WAYS:
        raise NotPacked
    if way in {_FOLDED, _PLAIN_FOLDED}:
        plain = _unfolded(plain)
    if len(plain) > LARGEST:
        raise NotPacked
    return plain


def _deflated(plain: bytes, dictionary: bytes) -> bytes:
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=dictionary)
    return packing.compress(plain) + packing.flush()


def _folded(plain: bytes) -> bytes:
    """Return pieces with their lengths in front: text and decoded base64url by turns.

    Whole groups of four characters stand for three bytes each, and for no others; what is over remains text.
    """
    pieces, at = [], 0
    for run in _LONG.finditer(plain):
        end = run.start() + len(run[0]) // 4 * 4
        pieces += [plain[at : run.start()], base64.urlsafe_b64decode(plain[run.start() : end])]
        at = end
    pieces.append(plain[at:])
    return b"".join(len(piece).to_bytes(_LENGTH, "big") + piece for piece in pieces)


def _unfolded(folded: bytes) -> bytes:
    pieces, at = [], 0
    while at < len(folded):
        begin = at + _LENGTH
        at = begin + int.from_bytes(folded[at:begin], "big")
        pieces.append(folded[begin:at])
    return b"".join(
        base64.urlsafe_b64encode(piece) if number % 2 else piece for number, piece in enumerate(pieces)
    )
