"""The facts that the gateway records.

Owns the table; docs/reference/audit.md explains each row.
Never knows who or where.
"""

from typing import Final

from gateway.audit.fact import Fact

SIGN_IN: Final = Fact("sign-in", "authn_login_success")
SIGN_UP: Final = Fact("sign-up", "user_created")
STEP_UP: Final = Fact("step-up", "authn_login_success")
PROFILE_EDIT: Final = Fact("profile-edit", "sensitive_update")
SIGN_OUT: Final = Fact("sign-out", "session_expired")
SESSION_END: Final = Fact("session-end", "session_expired")
