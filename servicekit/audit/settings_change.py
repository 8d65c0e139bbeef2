"""That an operator gave a running service other settings, as facts.

Owns which of them are keys and credentials, which have a fact of their own.
Never records what a setting is or was.
"""

from collections.abc import Set as AbstractSet
from typing import Final

from servicekit.audit.fact import SUCCESS, Fact
from servicekit.audit.trail import Trail

SETTINGS_CHANGE: Final = Fact("settings-change", "sys_config_changed")
SECRETS_CHANGE: Final = Fact("secrets-change", "crypt_keys_changed")
"""Both words are ours: OWASP has none for them."""
_SECRETS: Final = frozenset({"sealing_keys", "client_secret", "client_certificate", "tls_pem"})


def record_change(trail: Trail, names: AbstractSet[str]) -> None:
    """Record that settings of these names are others from now on."""
    for fact, changed in ((SECRETS_CHANGE, names & _SECRETS), (SETTINGS_CHANGE, names - _SECRETS)):
        if changed:
            trail.record(fact, {"outcome": SUCCESS, "settings": sorted(changed)})
