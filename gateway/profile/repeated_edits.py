"""Edits with an idempotency key: what of a repeated request is theirs.

Owns the mark of an edit. No profile lies in its record: whoever asks again is answered with the profile as it is then.
`gateway/proxy/repeats.py` keeps the record.
"""

import hashlib
import json
from collections.abc import Callable

from gateway.profile.fields import Changes
from gateway.proxy.repeats import RepeatedRequest


def repeated_edit(
    key: str, changes: Changes, condition: str | None, *, now: Callable[[], float]
) -> RepeatedRequest:
    """Return an edit with a key; what it asks for is compared by its meaning, however it was written."""
    mark = hashlib.sha256(json.dumps([changes, condition], sort_keys=True).encode()).hexdigest()
    return RepeatedRequest(key, mark, now=now)
