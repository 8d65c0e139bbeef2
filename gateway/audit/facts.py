"""The facts that the gateway records.

Owns the table; docs/reference/audit.md explains each row.
Never knows who or where.
"""

from typing import Final

from servicekit.audit.fact import Fact

SIGN_IN: Final = Fact("sign-in", "authn_login_success", "authn_login_fail", is_shown=True)
SIGN_UP: Final = Fact("sign-up", "authn_login_success", "authn_login_fail", is_shown=True)
STEP_UP: Final = Fact("step-up", "authn_login_success", "authn_login_fail", is_shown=True)
UNKNOWN_FLOW: Final = Fact("unknown-flow", "authn_login_fail")
"""An answer of the authority to a flow that is not this browser's, was answered, or never was."""
SESSION_BEGAN: Final = Fact("session-start", "session_created")
SESSION_ROTATED: Final = Fact("session-rotation", "session_renewed")
SESSION_ENDED: Final = Fact("session-end", "session_expired", is_shown=True)
GRANT_ENDED: Final = Fact("grant-end", "authn_token_revoked")
"""The authority renews this session's tokens no more; the session ends with it."""
SIGN_OUT: Final = Fact("sign-out", "session_expired", is_shown=True)
"""What the person did, for the person; the trail has the end of each session."""
ENDED_SESSION_USED: Final = Fact("ended-session-use", "session_use_after_expire", is_common=True)
LOGOUT_TOKEN: Final = Fact("logout-token", "authn_token_revoked", "input_validation_fail")

PROFILE_EDIT: Final = Fact("profile-edit", "sensitive_update", is_shown=True)
EDIT_PARKED: Final = Fact("edit-parked", "authz_fail")
"""An edit that waits until its person has confirmed."""
PARKED_EDIT_DROPPED: Final = Fact("parked-edit-drop", "sensitive_delete")
REQUEST_PARKED: Final = Fact("request-parked", "authz_fail")
"""A request to any other upstream that waits until its person has confirmed."""
PARKED_REQUEST_DROPPED: Final = Fact("parked-request-drop", "sensitive_delete")
UPSTREAM_REQUEST: Final = Fact("upstream-request", "sensitive_update")
"""An unsafe request to an API behind the gateway: which one, and how; never its path or its body."""
UPSTREAM_SOCKET: Final = Fact("upstream-socket", "sensitive_update")
"""A WebSocket to an API behind the gateway, by which anything may be changed; never a message."""
STEP_UP_DEMANDED: Final = Fact("step-up-demand", "authz_fail", is_common=True)
BLOCKED: Final = Fact("access-blocked", "authz_fail", is_common=True)
UNKNOWN_OBJECT: Final = Fact("unknown-object", "malicious_direct_reference", is_common=True)
INVALID_INPUT: Final = Fact("invalid-input", "input_validation_fail", is_common=True)

CROSS_ORIGIN: Final = Fact("cross-origin-request", "malicious_csrf", is_common=True)
WRONG_HOST: Final = Fact("wrong-host", "malicious_extraneous", is_common=True)
DUPLICATE_COOKIE: Final = Fact("duplicate-cookie", "malicious_extraneous", is_common=True)
"""Somebody else planted one under the name of ours."""
LIMIT: Final = Fact("limit", "excess_rate_limit_exceeded", is_common=True)
ANOTHER_PERSON: Final = Fact("another-person", "authz_fail")
"""Graph answered with somebody else's profile."""
