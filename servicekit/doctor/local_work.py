"""The doctor's look at what is set for local work only.

Owns the warning that not the true authority is looked at. Asks nothing of anybody.
"""

from typing import Final

from servicekit.authority_settings import AuthoritySettings
from servicekit.doctor.findings import Finding, ok, warning

LOCAL_WORK: Final = "local work"


def look_for_local_work(settings: AuthoritySettings) -> Finding:
    """Say whether a map leads away from the authority and from Graph."""
    name = f"{settings.prefix}AUTHORITY_MAP"
    if settings.authority_map:
        return warning(
            LOCAL_WORK,
            f"{name} is set: another address answers for {' and '.join(sorted(settings.addresses.origins))}",
            f"Remove {name} to look at the real authority and at Graph.",
        )
    return ok(LOCAL_WORK, "nothing is set that is for local work only")
