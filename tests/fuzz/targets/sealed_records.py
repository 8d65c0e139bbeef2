"""What comes back from Redis, which somebody else may have written: envelopes, what is packed in them, records."""

from typing import Final

from gateway.flows.flow_record import AuthCodeFlow
from gateway.session.sessions import UserSession
from gateway.store.sealing import LARGEST, KeyRing, NotPacked, Unsealable, pack, unpack
from gateway.store.stored_form import read_record, write_record
from tests.fuzz.target import Target

_RING: Final = KeyRing([b"k" * 32, b"l" * 32], nonce=lambda length: b"n" * length)
_PLAIN: Final = b'{"version":1,"token":"' + b"QUJD" * 40 + b'"}'
_SEALED: Final = _RING.seal(_PLAIN, kind="session", owner="o", secret=b"s")
_FLOW: Final = AuthCodeFlow({"state": "s"}, "sign-in", "/edit", "n")


def _check_sealed(data: bytes) -> None:
    try:
        opened = _RING.open(data, kind="session", owner="o", secret=b"s")
    except Unsealable:
        assert data != _SEALED
        return
    assert (data, opened) == (_SEALED, _PLAIN)


def _check_packed(data: bytes) -> None:
    try:
        plain = unpack(data)
    except NotPacked:
        return
    assert len(plain) <= LARGEST
    assert unpack(pack(plain)) == plain
    assert unpack(pack(plain, dictionary=b"")) == plain


def _check_record(data: bytes) -> None:
    for kind in (AuthCodeFlow, UserSession, dict[str, str], list[int]):
        record = read_record(kind, data)
        if record is not None and kind is AuthCodeFlow:
            assert read_record(AuthCodeFlow, write_record(record)) == record


TARGETS: Final = (
    Target(
        "sealed-record",
        "nothing is opened but what was sealed for this place, to the last byte",
        _check_sealed,
        [b"\1", b"\2", b"\0", b"n" * 12, _SEALED[:9], _SEALED[1:9], _SEALED[21:]],
        made=[_SEALED],
    ),
    Target(
        "packed-record",
        "what is unpacked is bounded, and packs again",
        _check_packed,
        [
            b"\0",
            b"\1",
            b"\2",
            b"\3",
            b"\x03\x00",
            b"\0\0\5",
            b"\xff\xff\xff",
            pack(b"A" * 100_000),
            pack(_PLAIN),
        ],
        made=[pack(_PLAIN), pack(_PLAIN, dictionary=b""), pack(b""), pack(b"A" * LARGEST)],
    ),
    Target(
        "stored-record",
        "a record is absent, or of its form, whoever wrote it",
        _check_record,
        [
            *(
                b"{",
                b"}",
                b"[",
                b"]",
                b":",
                b",",
                b'"',
                b"null",
                b"true",
                b"1",
                b"1e999",
                b"\xff",
                b"\\ud800",
                b"[" * 300,
            ),
            *(
                b'"msal":',
                b'"purpose":',
                b'"return_to":',
                b'"nonce":',
                b'"version":2',
                b'"tid"',
                b'"created_at":',
            ),
        ],
        made=[write_record(_FLOW)],
    ),
)
