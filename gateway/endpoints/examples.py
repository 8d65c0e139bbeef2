"""One example of each answer, as the API's description shows them: Ada Lovelace, on an evening in November.

Never leaves this file for a person: nothing here is answered by a handler.
"""

from typing import Any, Final

from gateway.endpoints import answers, parked_answers
from gateway.profile.fields import Profile
from servicekit.operations import Shape

ADA: Final = Profile(
    {
        "id": "6d3a8f10-58c2-4b7e-9a34-0f1e2d3c4b5a",
        "displayName": "Ada Lovelace",
        "givenName": "Ada",
        "surname": "Lovelace",
        "jobTitle": "Analyst",
        "streetAddress": "12 St James's Square",
        "city": "London",
        "state": None,
        "postalCode": "SW1Y 4JH",
        "country": "United Kingdom",
        "preferredLanguage": "en-GB",
        "mail": "ada@example.com",
    }
)

_ANONYMOUS: Final[answers.Anonymous] = {
    "authenticated": False,
    "sign_in": "/auth/sign-in",
    "sign_up": "/auth/sign-up",
}
_SIGNED_IN: Final[answers.SignedIn] = {
    "authenticated": True,
    "user": {
        "id": "6d3a8f10-58c2-4b7e-9a34-0f1e2d3c4b5a",
        "name": "Ada Lovelace",
        "username": "ada@example.com",
        "email_hint": "ad•••@example.com",
    },
    "expires": {"idle_at": "2026-11-21T20:30:00Z", "absolute_at": "2026-11-22T04:00:00Z"},
    "access": {"profile.edit": "step-up"},
    "csrf": {"header": "X-CSRF", "value": "1"},
    "step_up": "/auth/step-up?action=profile.edit",
    "sign_out": "/auth/sign-out",
    "change_password": "https://login.example.com/change-password",
}
_CLAIMS: Final[answers.Claims] = {
    "claims": {
        "iss": "https://3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10.ciamlogin.com/3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10/v2.0",
        "name": "Ada Lovelace",
        "oid": "6d3a8f10-58c2-4b7e-9a34-0f1e2d3c4b5a",
    }
}
_ACTIVITY: Final[answers.Activity] = {
    "entries": [
        {
            "at": "2026-11-21T20:04:00Z",
            "event": "profile-edit",
            "outcome": "success",
            "device": "Firefox on Linux",
            "network": "203.0.113.0/24",
            "fields": ["city", "state"],
            "session": {"id": "0c6f0b0a7d1f4d1c9e5b3a2f18d7c644", "current": True},
            "reference": "7Q4M-2ZKD",
        },
        {
            "at": "2026-11-21T19:12:00Z",
            "event": "session-end",
            "outcome": "success",
            "reason": "ended-elsewhere",
            "device": "Safari on iPhone",
            "network": "2001:db8:1::/56",
            "sessions": 2,
            "session": {"id": "9a1be0c25f3d47e8b6a0d4c7f2e81355", "current": False},
            "reference": "9T1B-XW3C",
        },
    ]
}
_OWN_SESSIONS: Final[answers.OwnSessions] = {
    "sessions": [
        {
            "id": "5da44e4d80259c1f2b7e6d0a3c4f8e91",
            "device": "Firefox on Linux",
            "created_at": "2026-11-21T20:00:00Z",
            "last_seen_at": "2026-11-21T20:04:00Z",
            "last_mfa_at": None,
            "current": True,
        }
    ]
}
_ENDED: Final[answers.Ended] = {"ended": 2}
_SIGNED_OUT: Final[answers.SignedOut] = {
    "redirect": "https://contoso.ciamlogin.com/3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10/oauth2/v2.0/logout"
    "?post_logout_redirect_uri=https%3A%2F%2Fprofile.example.com%2F"
}
PARKED_EDIT_HANDLE: Final[answers.ParkedEditHandle] = {
    "id": "dQw4w9WgXcQ-8f3kLmN0pq",
    "expires_at": "2026-11-21T20:10:00Z",
}
_PARKED_EDIT: Final[answers.ParkedEdit] = {
    "id": "dQw4w9WgXcQ-8f3kLmN0pq",
    "changes": [{"field": "city", "from": "London", "to": "Turin"}],
    "expires_at": "2026-11-21T20:10:00Z",
}
_PARKED: Final[parked_answers.Parked] = {
    "id": "mN0pqdQw4w9WgXcQ-8f3kL",
    "upstream": "notes",
    "method": "PATCH",
    "path": "/api/notes/7",
    "content_type": "application/merge-patch+json",
    "changes": [{"field": "title", "from": "Sketch", "to": "Note G"}],
    "expires_at": "2026-11-21T20:10:00Z",
}
_EVENTS: Final = (
    "retry: 3172\n"
    "id: 5da44e4d8025.step-up\n\n"
    'event: access-changed\ndata: {"access": {"profile.edit": "granted"}}\nid: 5da44e4d8025.granted\n\n'
    ":\n\n"
    'event: session-ended\ndata: {"reason": "signed-out"}\nid: \n\n'
)
_LIVE: Final[answers.Live] = {"status": "live"}
_READY: Final[answers.Ready] = {"status": "ready"}

EXAMPLES: Final[dict[Shape, tuple[str, Any]]] = {
    answers.Anonymous: ("anonymous", _ANONYMOUS),
    answers.SignedIn: ("signed-in", _SIGNED_IN),
    answers.Claims: ("claims", _CLAIMS),
    answers.OwnSessions: ("one-session", _OWN_SESSIONS),
    answers.Activity: ("an-evening", _ACTIVITY),
    answers.Ended: ("two-ended", _ENDED),
    answers.SignedOut: ("signed-out", _SIGNED_OUT),
    answers.EVENT_STREAM: ("a-session-that-ends", _EVENTS),
    answers.PROFILE: ("ada", ADA),
    answers.PROFILE_PATCH: ("move", {"city": "Turin", "state": None}),
    answers.ParkedEdit: ("parked-edit", _PARKED_EDIT),
    parked_answers.Parked: ("parked-patch", _PARKED),
    answers.Live: ("live", _LIVE),
    answers.Ready: ("ready", _READY),
}
