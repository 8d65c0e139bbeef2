"""The fields of a session's hash: sealed values, each with its own end.

Owns the form: thirteen digits of expiry (milliseconds since 1970), which are bound in, then the sealed value.
Never talks to Redis, and never decides how long something is kept.
"""

from dataclasses import dataclass
from typing import Final

from gateway.store.names import SessionRef
from gateway.store.sealing import KeyRing

_EXPIRY_DIGITS: Final = 13


@dataclass(frozen=True, slots=True)
class Field:
    """A value on its way into a session's hash; `expires_at` in seconds since 1970.

    Unless it is `keyed` with the browser's secret, the server's keys alone open it: for what another session of the
    same person may read. With `most`, a session keeps so many of its kind, the youngest, and this one only where it
    has room for it: for what a person may write as often, and as large, as they like.
    """

    value: bytes
    expires_at: float
    keyed: bool = True
    most: int = 0


def seal_field(ring: KeyRing, ref: SessionRef, name: str, field: Field, *, secret: bytes) -> bytes:
    """Return what lies in Redis; `name` is `kind` or `kind:id`, and only its kind takes part in the key."""
    expiry = f"{milliseconds(field.expires_at):0{_EXPIRY_DIGITS}d}"
    owner = f"{ref} {name} {expiry}"
    return expiry.encode() + ring.seal(field.value, kind=_kind(name), owner=owner, secret=secret)


def open_field(
    ring: KeyRing, ref: SessionRef, name: str, stored: bytes, *, secret: bytes, now: float
) -> Field | None:
    """Return the field, None where there is none or it has ended; raises Unsealable."""
    expiry = stored[:_EXPIRY_DIGITS]
    if not expiry.isdigit() or int(expiry) <= milliseconds(now):
        return None
    owner = f"{ref} {name} {expiry.decode()}"
    value = ring.open(stored[_EXPIRY_DIGITS:], kind=_kind(name), owner=owner, secret=secret)
    return Field(value, int(expiry) / 1000)


def end_of(stored: bytes) -> float:
    """Return when a field ends, in seconds since 1970, without opening it; a damaged one has ended."""
    return number_of(stored[:_EXPIRY_DIGITS]) / 1000


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds."""
    return round(seconds * 1000)


def number_of(stored: bytes | None) -> int:
    """Read a plain number; a damaged one counts as none."""
    return int(stored) if stored and stored.isdigit() and len(stored) <= _EXPIRY_DIGITS else 0


def _kind(name: str) -> str:
    return name.partition(":")[0]
