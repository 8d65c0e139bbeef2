"""An access token, how long it lives, and in which part of its life it is renewed.

Owns the rule, for a life of seconds as for one of a day
(docs/explanation/decisions/2026-11-26-renewal-in-the-last-part-of-a-life.md).
Never looks into a token: it is the resource's to read (RFC 9068, section 6), and what is known of its life is what came
with it (RFC 6749, section 5.1).
"""

from dataclasses import dataclass, field
from typing import Any, Final

from servicekit.token_answer import LONGEST_LIFE, lifetime

UNKNOWN_LIFE: Final = 3600
"""What is taken for the life of a token that came without one (s): a resource that refuses it earlier is believed."""

_LAST_PART: Final = 1 / 5
_LONGEST_LAST_PART: Final = 600
_ON_ITS_WAY_PART: Final = 1 / 20
_LONGEST_ON_ITS_WAY: Final = 2
# Redis' clock, by which all gateways tell the time, is another one after a failover: as much as an authority's.
_CLOCKS_APART: Final = 120
# Records of the release before don't know when their token was issued: its rule holds for them.
_LAST_PART_OF_UNKNOWN: Final = 300


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token and its life, in seconds since 1970; its value is kept out of every `repr`.

    From `renew_at` on it is renewed beside its use. It and `issued_at` are None in a record of the release before.
    """

    value: str = field(repr=False)
    expires_at: float
    issued_at: float | None = None
    renew_at: float | None = None

    def is_fresh(self, now: float) -> bool:
        """Tell whether it needs no renewal yet; what was issued in the future is of a clock that was set back since."""
        if self.issued_at is None or self.renew_at is None:
            return now < self.expires_at - _LAST_PART_OF_UNKNOWN
        return self.issued_at - _CLOCKS_APART <= now < self.renew_at

    @property
    def fresh_until(self) -> float:
        """Until when it needs no renewal, and lives."""
        renew_at = self.expires_at - _LAST_PART_OF_UNKNOWN if self.renew_at is None else self.renew_at
        return min(renew_at, self._usable_until)

    def is_alive(self, now: float) -> bool:
        """Tell whether it still lives when it reaches its resource: the way there takes up to two seconds."""
        return now < self._usable_until

    @property
    def _usable_until(self) -> float:
        life = LONGEST_LIFE if self.issued_at is None else self.expires_at - self.issued_at
        return self.expires_at - min(life * _ON_ITS_WAY_PART, _LONGEST_ON_ITS_WAY)


def access_token_of(answer: dict[str, Any], *, asked_at: float, jitter: float) -> AccessToken:
    """Return the access token of a token answer that is no refusal, which was asked for at `asked_at`.

    Its life is counted from there: nobody knows how long the answer was under way. It is renewed in the last fifth to
    tenth of its life, and in the last ten to five minutes of a long one; `jitter`, from 0 to 1, says where between, so
    that what was issued together is not renewed together. Raises ValueError for a lifetime in words.
    """
    life = lifetime(answer.get("expires_in")) or UNKNOWN_LIFE
    expires_at = asked_at + life
    last_part = min(life * _LAST_PART, _LONGEST_LAST_PART) * (1 - jitter / 2)
    return AccessToken(answer["access_token"], expires_at, asked_at, expires_at - last_part)
