"""What follows from Graph's answer, kept with the session that asks again.

Owns that nothing of it is used which Graph has not just said again, to the letter, that it lies with the session's
opened records and goes with them, and that a profile is kept only where it is of the usual size.
Never spares a call to Graph, and never judges a profile.
"""

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.profile.fields import Profile, ProfileAnswer
from gateway.session.sessions import LiveSession

_READ: Final = "profile-read"
_ANSWER: Final = "profile-answer"
_MOST_BYTES: Final = 8_192
"""Of Graph's answer; a profile takes some hundred."""


@dataclass(frozen=True, slots=True)
class _Read:
    body: bytes
    profile: Profile


def known_profile(session: LiveSession, body: bytes) -> Profile | None:
    """Return the profile that the session's last answer was, if this one is the same to the letter."""
    known: _Read | None = session.records.result(_READ)
    return known.profile if known and known.body == body else None


def keep_profile(session: LiveSession, body: bytes, profile: Profile) -> None:
    """Keep what an answer was found to be."""
    if len(body) <= _MOST_BYTES:
        session.records.keep_result(_READ, _Read(body, profile), session.absolute_at)


def answer_for(session: LiveSession, profile: Profile) -> web.Response:
    """Return the answer that a profile is; the session's last one where it is of the same profile."""
    known: ProfileAnswer | None = session.records.result(_ANSWER)
    if known is None or known.profile is not profile:
        known = ProfileAnswer(profile)
        session.records.keep_result(_ANSWER, known, session.absolute_at)
    return known.response()
