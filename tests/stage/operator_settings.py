"""What the operator of the tests' gateways sets.

Owns the sealing keys and the complete settings; what a test changes about them it says itself.
"""

import base64
import hashlib
from collections.abc import Mapping

from gateway.settings import PREFIX
from tests.stage.tenant import EDIT, GATEWAY, GATEWAY_SECRET, TENANT_ID
from tests.stage.trust import ONE_CERTIFICATE


def sealing_key(name: str) -> str:
    """Return the key of a name, as an operator writes it: random to look at, and the same in every process."""
    made = hashlib.sha256(f"the tests' sealing key, {name}".encode()).digest()
    return base64.urlsafe_b64encode(made).decode()


def gateway_environment(changed: Mapping[str, str]) -> dict[str, str]:
    """Return complete settings as environment variables, some changed by their names without the prefix."""
    settings = {
        "TENANT_SUBDOMAIN": "stepuplocal",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": GATEWAY,
        "CLIENT_SECRET": GATEWAY_SECRET,
        "EDIT_PROFILE_SCOPE": EDIT,
        "SEALING_KEYS": sealing_key("first"),
        "CA_BUNDLE": ONE_CERTIFICATE,
        **changed,
    }
    return {PREFIX + name: text for name, text in settings.items()}
