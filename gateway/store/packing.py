"""Packing: records made small before they are sealed, as what is sealed does not compress.

Owns the dictionary of what nearly every record says, so that a record pays only for what is its own, and the folding of
what is written in base64url: the claims of a token compress only as the bytes that they are.
Never knows what a record means, and never trusts what it unpacks: sealing has proven before that we packed it.

The dictionary belongs to the form of every record that lies in Redis. Whoever changes it, be it by a space, changes
`sealing.VERSION` with it; a test compares the two. It is about to go: without it a session takes 4.8 kB, within
its budget. This release writes with it, as gateways of the release before open nothing else, and opens both forms; the
next one writes without (docs/explanation/decisions/2026-11-26-house.md).
"""

import base64
import re
import zlib
from typing import Final

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
# Longer than any id: those compress better as they are written, where they are written twice.
_LONG: Final = re.compile(rb"[A-Za-z0-9_-]{64,}")

# Deflate finds what is near more cheaply than what is far: the largest records come last.
DICTIONARY: Final = (
    b'{"device":"Firefox on Windows","created_at":17,"last_mfa_at":null}'
    b'"Chrome on Android","Safari on iPhone","Edge on Windows",'
    b'{"version":1,"tid":"","oid":"","sub":"","name":"","username":"","sid":"","login_hint":"",'
    b'"device":"Chrome on Windows","created_at":17,"last_mfa_at":17,"step_ups_in_vain":0,"claims":{'
    b'"aud":"","iss":"https://.ciamlogin.com//v2.0","iat":17,"nbf":17,"exp":17,"auth_time":17,"acrs":["c1"],'
    b'"aio":"","rh":"1.","uti":"","nonce":"","email":"","login_hint":"","oid":"","tid":"","sub":"","name":"",'
    b'"preferred_username":"","sid":"","ver":"2.0"}}'
    b'{"value":"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6Ii","expires_at":17'
    b'{"Account":{".-.ciamlogin.com-":{"home_account_id":"","environment":".ciamlogin.com","realm":"",'
    b'"local_account_id":"","username":"","authority_type":"MSSTS","account_source":"authorization_code"}},'
    b'"AppMetadata":{"appmetadata-.ciamlogin.com-":{"client_id":"","environment":".ciamlogin.com"}},'
    b'"RefreshToken":{".-.ciamlogin.com-refreshtoken---user.read openid profile offline_access":{'
    b'"credential_type":"RefreshToken","secret":"1.A","home_account_id":"","environment":".ciamlogin.com",'
    b'"client_id":"","target":"User.Read openid profile offline_access","last_modification_time":"17"}}'
)


class NotPacked(Exception):  # noqa: N818 - an outcome, handled as "not there"
    """What was to be unpacked is not what we pack, or only a part of it, or is larger than anything we keep."""


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
