"""How a record is written down, and read back by another version of this code.

Owns the JSON form of the small dataclasses that lie in the vault.
Never fails on what another version wrote: members that are unknown here are passed over, and a record that lacks what
is needed here counts as absent. During a rolling update both versions run side by side.
"""

import json
from dataclasses import asdict, is_dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

T = TypeVar("T")

# Building an adapter costs far more than using it, and there are a handful of kinds.
_adapters: dict[type, TypeAdapter[Any]] = {}


def write_record(record: Any) -> bytes:
    """Return a dataclass, or what JSON knows, as JSON."""
    try:
        return to_json(record)
    except ValueError:  # half of a surrogate pair, as a header field may hold: only its escape is JSON
        members = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
        return json.dumps(members, separators=(",", ":")).encode()


def read_record(kind: type[T], stored: bytes | None) -> T | None:
    """Return what `write_record` wrote; None for nothing, and for what is no record of this kind."""
    if stored is None:
        return None
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    try:
        record: T = _adapters[kind].validate_json(stored)
    except ValidationError:
        return None
    return record
