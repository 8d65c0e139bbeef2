"""What a session is called outside of the store: a keyed hash, from which nobody without the sealing keys gets back.

Owns that the name stays while a step-up changes the session's id.
Never opens anything by it.
"""

from typing import Final

from gateway.store.names import SessionRef
from gateway.store.vault import Vault

_KIND: Final = "audit-session"


def keyed_names(vault: Vault, ref: SessionRef) -> list[str]:
    """Return the session's names, 32 hexadecimal digits each, one for each sealing key.

    The first one is written down; the others are what it was called before the keys were changed.
    """
    return vault.ring.names(_KIND, ref.family)
