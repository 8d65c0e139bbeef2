"""The doctor's look at where the audit trail goes.

Owns what is wrong with a file that others can read, and what a trail proves without a key.
Writes nothing: whether the file can be appended to, the settings have said already.
"""

import stat
from pathlib import Path
from typing import Final

from servicekit.authority_settings import AuthoritySettings
from servicekit.doctor.findings import Finding, ok, warning

AUDIT: Final = "audit trail"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def look_at_audit_trail(settings: AuthoritySettings) -> Finding:
    """Return what can be said of the trail before anything is written to it."""
    prefix, path = settings.prefix, settings.audit_file
    if not settings.trail_keys and not settings.authority_map:
        return warning(
            AUDIT,
            f"{prefix}AUDIT_KEYS is not set: whoever can write the trail can write all of it anew",
            f"Set {prefix}AUDIT_KEYS to what `openssl rand -base64 32 | tr '+/' '-_'` prints.",
        )
    if path and _is_open_to_others(Path(path)):
        return warning(
            AUDIT,
            f"{path} can be read or written by others than its owner",
            f"Set its mode: chmod 600 {path}.",
        )
    return ok(AUDIT, f"goes to {path or 'standard output'}, signed by {_signer(settings)}")


def _signer(settings: AuthoritySettings) -> str:
    if settings.audit_keys:
        return "a key of its own"
    return "a key that follows from the first sealing key" if settings.trail_keys else "nothing"


def _is_open_to_others(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & _OTHERS)
