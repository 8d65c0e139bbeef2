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
# What is small, as most records are, and the dictionary fit into a small window: the same bytes come out, and making a
# large one takes several times as long as the work. Whoever unpacks has a large one.
_SMALL: Final = 2_500
_SMALL_WINDOW: Final = -12
_SMALL_MEMORY: Final = 5
_AS_IT_IS: Final = b"\0"
_FOLDED: Final = b"\1"
# The same without the dictionary.
_PLAIN: Final = b"\2"
_PLAIN_FOLDED: Final = b"\3"
_WAYS: Final = frozenset({_AS_IT_IS, _FOLDED, _PLAIN, _PLAIN_FOLDED})
_LENGTH: Final = 3
_NAME_DIGITS: Final = 32
# The program has a dozen kinds that need no browser, and a ring two keys or three.
_MOST_OWN: Final = 100
# Longer than any id: those compress better as they are written, where they are written twice.
_LONG: Final = 64
# A letter of base64url, and anything else: by it a long run is found by one search for so many letters in a row, which
# takes a tenth of what a regular expression takes that begins anew at each letter of every shorter run.
_LETTER, _OTHER = b"a", b" "
_LETTERS: Final = bytes(
    (_LETTER if bytes([sign]).isalnum() or sign in b"-_" else _OTHER)[0] for sign in range(256)
)


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
        # Of the server's own keys alone: one that a browser has a half of is gone with its request.
        self._own: dict[tuple[bytes, str], bytes] = {}

    def names(self, kind: str, text: str) -> list[str]:
        """Return what `text` is called where it must not be told: a keyed hash, 32 digits, for each key of the ring.

        The first is the one to write down. Without the keys nobody can tell which text it is (HMAC, RFC 2104).
        """
        return [
            hmac.digest(self._key(key_id, kind, b""), text.encode(), "sha256").hex()[:_NAME_DIGITS]
            for key_id in self._keys
        ]

    def seal(self, plain: bytes, *, kind: str, owner: str, secret: bytes = b"") -> bytes:
        """Pack and seal `plain` for one `kind` of record of one `owner`.

        `secret` is the browser's half of the key, where the flow has one.
        """
        head = bytes([VERSION]) + self._sealing + self._nonce(_NONCE)
        cipher = AESGCM(self._key(self._sealing, kind, secret))
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
        key_id = head[1 : 1 + _ID]
        if len(head) < _HEAD or head[0] != VERSION or key_id not in self._keys:
            raise Unsealable
        try:
            packed = AESGCM(self._key(key_id, kind, secret)).decrypt(
                head[-_NONCE:], sealed[_HEAD:], _bound(head, kind, owner)
            )
            return unpack(packed)
        except (InvalidTag, NotPacked) as error:
            raise Unsealable from error

    def _key(self, key_id: bytes, kind: str, secret: bytes) -> bytes:
        """Return the key for a kind of record: one of the server's own is derived once."""
        if secret or (known := self._own.get((key_id, kind))) is None:
            known = _derive(self._keys[key_id], kind, secret)
            if not secret and len(self._own) < _MOST_OWN:
                self._own[key_id, kind] = known
        return known


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
    runs = _long_runs(plain)
    if not runs:
        return packed
    return min(packed, folded + _deflated(_folded(plain, runs), dictionary), key=len)


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
    window, memory = (_SMALL_WINDOW, _SMALL_MEMORY) if len(plain) <= _SMALL else (_RAW, zlib.DEF_MEM_LEVEL)
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, window, memory, zdict=dictionary)
    return packing.compress(plain) + packing.flush()


def _long_runs(plain: bytes) -> list[tuple[int, int]]:
    """Return where base64url stands that is longer than any id: from a letter up to the one behind its last."""
    letters = plain.translate(_LETTERS)
    runs, end = [], 0
    while (start := letters.find(_LETTER * _LONG, end)) >= 0:
        end = letters.find(_OTHER, start)
        if end < 0:
            end = len(letters)
        runs.append((start, end))
    return runs


def _folded(plain: bytes, runs: Sequence[tuple[int, int]]) -> bytes:
    """Return pieces with their lengths in front: text and decoded base64url, the long `runs`, by turns.

    Whole groups of four characters stand for three bytes each, and for no others; what is over remains text.
    """
    pieces, at = [], 0
    for start, last in runs:
        end = start + (last - start) // 4 * 4
        pieces += [plain[at:start], base64.urlsafe_b64decode(plain[start:end])]
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
