"""The chain: each line of the trail names the hash of the line before it, and is signed with it.

Owns the form of a line, its hash, and the keys. A line is one JSON object in ASCII whose last member is `hash`: that of
all bytes before it. With a key it is an HMAC (RFC 2104, SHA-256), and nobody without the key makes another; without one
it is a plain SHA-256, which proves the order and that nothing fell out, and stops nobody who writes the chain anew.
Never reads or writes a file.
docs/explanation/decisions/2026-11-26-a-chain-for-each-process.md says why it is so.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

LONGEST_LINE: Final = 4_096
"""Bytes with the line's end: what a pipe takes in one piece (PIPE_BUF)."""
NOTHING_BEFORE: Final = "0" * 64
_HEAD: Final = b'{"stream":"audit",'
_SEAL: Final = b',"hash":"'
_CUT_IN_THE_HASH: Final = re.compile(rb"[0-9a-f]{0,64}\"?")
_LINE: Final = re.compile(rb'(\{"stream":"audit",.+),"hash":"([0-9a-f]{64})"\}')
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_KEY_ID_DIGITS: Final = 8
_LONGEST_TEXT: Final = 200


class TrailKeys:
    """The keys of the trail, 32 bytes each: the first signs, all of them are known; none is no secret at all."""

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        self._keys = {_key_id(key): key for key in keys}

    @property
    def signing(self) -> str:
        """The id of the key that signs; empty without one."""
        return next(iter(self._keys), "")

    def knows(self, key_id: str) -> bool:
        """Tell whether lines of this key can be judged; those without a key only where there is none."""
        return key_id in self._keys or not (key_id or self._keys)

    def hash_of(self, body: bytes, key_id: str) -> str:
        """Return the hash of a line up to its last member; raises KeyError for a key that is not known."""
        if not key_id:
            return hashlib.sha256(body).hexdigest()
        return hmac.new(self._keys[key_id], body, hashlib.sha256).hexdigest()


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"audit key id" + key).hexdigest()[:_KEY_ID_DIGITS]


class Chain:
    """The lines of one process, from the first to the last; `previous` is the hash of what it goes on from."""

    def __init__(self, keys: TrailKeys, *, previous: str = NOTHING_BEFORE) -> None:
        self._keys = keys
        self.id = secrets.token_hex(8)
        self._sequence = 0
        self._previous = previous

    def line(self, members: Mapping[str, Any]) -> bytes:
        """Return the next line, with its end; texts that are too long for one are shortened."""
        self._sequence += 1
        own: dict[str, Any] = {"key": self._keys.signing} if self._keys.signing else {}
        own |= {"chain": self.id, "sequence": self._sequence, "previous": self._previous}
        body = _body({**members, **own})
        if len(body) > LONGEST_LINE - 100:
            body = _body({**_shortened(members), **own})
        self._previous = self._keys.hash_of(body, self._keys.signing)
        return body + _SEAL + self._previous.encode() + b'"}\n'


def _body(members: Mapping[str, Any]) -> bytes:
    text = json.dumps({"stream": "audit", **members}, separators=(",", ":"), default=str)
    return text.encode()[:-1]


def _shortened(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return members that fit: the beginning of each text, and of lists and tables no more than their size."""
    return {
        name: value[:_LONGEST_TEXT] if isinstance(value, str) else value if _is_small(value) else len(value)
        for name, value in members.items()
    }


def _is_small(value: Any) -> bool:
    return not hasattr(value, "__len__") or len(json.dumps(value, default=str)) <= _LONGEST_TEXT


@dataclass(frozen=True, slots=True)
class ChainedLine:
    """A line that has the form: what it says of itself, none of which is judged yet."""

    chain: str
    sequence: int
    previous: str
    key: str
    hash: str
    fact: str
    body: bytes


def read_line(text: bytes) -> ChainedLine | None:
    """Return a line, without its end, as it says of itself; None for what has not the form of one."""
    match = _LINE.fullmatch(text)
    if match is None:
        return None
    try:
        members = json.loads(match[1] + b"}")
    except ValueError:
        return None
    chain, sequence, previous = (members.get(name) for name in ("chain", "sequence", "previous"))
    if not (isinstance(chain, str) and type(sequence) is int and isinstance(previous, str)):
        return None
    if not _HASH.fullmatch(previous):
        return None
    key, fact = str(members.get("key", "")), str(members.get("fact", ""))
    return ChainedLine(chain, sequence, previous, key, match[2].decode(), fact, match[1])


def torn_part(text: bytes) -> bytes:
    """Return the beginning of a line that was never finished, from the front of `text`; empty where there is none.

    A process that was killed, or a full disk, cuts a line short; the next one of another process may follow at once.
    """
    at = text.rfind(_HEAD)
    torn = text[:at] if at > 0 else text
    _, seal, of_hash = torn.partition(_SEAL)
    is_cut = _HEAD.startswith(torn[: len(_HEAD)]) and (not seal or _CUT_IN_THE_HASH.fullmatch(of_hash))
    return torn if torn and is_cut else b""


def last_hash(tail: bytes) -> str:
    """Return the hash of the last whole line in the end of a file; that of nothing where there is none."""
    for line in reversed(tail.split(b"\n")):
        if read := read_line(line[line.rfind(_HEAD) :] if _HEAD in line else line):
            return read.hash
    return NOTHING_BEFORE
