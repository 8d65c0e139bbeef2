"""The inbox where one-time codes arrive, and the codes themselves: sent, tried, used up.

Owns expiry, the number of tries and single use. There is no mail: people read the inbox page, tests its JSON.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from local_tenant.clock import Clock
from local_tenant.ids import Ids

CODE_DIGITS: Final = 8
CODE_SECONDS: Final = 600
MOST_TRIES: Final = 5
_KEPT: Final = 500


class Outcome(Enum):
    """What became of a typed code."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    TOO_MANY_TRIES = "too many tries"


@dataclass(frozen=True, slots=True)
class Message:
    """One delivered code."""

    to: str
    code: str
    purpose: str
    sent_at: float


@dataclass(slots=True)
class _Pending:
    to: str
    code: str = field(repr=False)
    expires_at: float
    tries: int = 0


@dataclass(slots=True)
class Inbox:
    """Messages for everyone, and the code that each flow is waiting for."""

    clock: Clock
    ids: Ids
    messages: list[Message] = field(default_factory=list)
    _pending: dict[str, _Pending] = field(default_factory=dict)

    def send(self, flow_id: str, to: str, purpose: str) -> None:
        """Send a new code for a flow; an earlier one stops working."""
        now = self.clock()
        self._pending = {key: value for key, value in self._pending.items() if value.expires_at > now}
        code = self.ids.digits(CODE_DIGITS)
        self._pending[flow_id] = _Pending(to, code, now + CODE_SECONDS)
        self.messages.append(Message(to, code, purpose, now))
        del self.messages[:-_KEPT]

    def forget(self, flow_id: str) -> None:
        """Make a flow's code useless; the next page sends a new one."""
        self._pending.pop(flow_id, None)

    def has_sent(self, flow_id: str, to: str) -> bool:
        """Tell whether a code was sent to this address for this flow; a reload must not send another."""
        pending = self._pending.get(flow_id)
        return pending is not None and pending.to == to

    def check(self, flow_id: str, to: str, typed: str) -> Outcome:
        """Try the code that went to ``to``; another person's, of the same flow, proves nothing about this one.

        The right one works once; after ``MOST_TRIES`` wrong ones even the right one doesn't.
        """
        pending = self._pending.get(flow_id)
        if pending is None or pending.to != to or pending.expires_at <= self.clock():
            return Outcome.EXPIRED
        if pending.tries >= MOST_TRIES:
            return Outcome.TOO_MANY_TRIES
        if "".join(typed.split()) != pending.code:
            pending.tries += 1
            return Outcome.WRONG
        del self._pending[flow_id]
        return Outcome.RIGHT

    def for_address(self, to: str) -> list[Message]:
        """Return one address's messages, newest first."""
        return [message for message in reversed(self.messages) if message.to.casefold() == to.casefold()]
