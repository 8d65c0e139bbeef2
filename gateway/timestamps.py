"""Times as the JSON endpoints write them.

Owns the one form: RFC 3339 in UTC, whole seconds. Never reads a clock.
"""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """Return a time as RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")
