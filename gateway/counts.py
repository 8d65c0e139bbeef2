"""What the gateway tells whoever counts: one method for each thing that happens.

Owns the names of what can be told, so that the rooms need no metrics library; `metrics.py` does the counting.
Counts nothing itself, and is never told a person, a session, a path, or a word that a stranger chooses.
"""

from collections.abc import Callable, Mapping

from servicekit.http.admission import RequestNumbers


class Counts:
    """Hears everything and keeps nothing, for whoever does not count."""

    def refreshed(self, resource: str, outcome: str) -> None:
        """Hear how a silent refresh ended: `renewed`, or the kind of its refusal."""

    def token_requested(self, grant: str, outcome: str, seconds: float) -> None:
        """Hear of a request to the token endpoint: its grant, whether it was granted, refused or failed."""

    def session_ended(self, reason: str) -> None:
        """Hear that a session was ended, and why; sessions that Redis drops after their time are not told."""

    def record_rejected(self, kind: str) -> None:
        """Hear of a sealed record that no key opens."""

    def redis_asked(self, outcome: str, seconds: float, commands: int = 1) -> None:
        """Hear of a command: answered, refused by the server, failed, not sent while the breaker is open, or own-delay.

        Of several that were sent together, and took as long. `seconds` are Redis' own: neither our line for a
        connection counts, nor what our event loop stood still for.
        """

    def breaker_turned(self, breaker: str, *, is_open: bool) -> None:
        """Hear that Redis or the token endpoint is left alone from now on, or no more."""

    def clock_differs(self, clock: str, seconds: int) -> None:
        """Hear by how many seconds this machine's clock is ahead of another: authority, tokens or redis."""

    def request_numbers(self, _places: str) -> RequestNumbers:
        """Return numbers of requests that have a place of a kind, and that wait for one, to be kept up to date."""
        return RequestNumbers()

    def request_refused(self, places: str) -> None:
        """Hear that a request was told to come later."""

    def limited(self, limit: str) -> None:
        """Hear that a rate limit refused a request, by the limit's name."""

    def untrusted_proxy(self, *, is_there: bool) -> None:
        """Hear whether nearly all requests come by one address that names others, and is no proxy of ours."""

    def parked(self, upstream: str, outcome: str) -> None:
        """Hear what became of a request that step-up interrupted, by the upstream that it was for.

        `waits`, `no-room` or `too-large`; then `sent`, `not-sent`, `unknown` or `dropped`.
        """

    def upstream_asked(self, upstream: str, outcome: str, seconds: float | None = None) -> None:
        """Hear what became of a request to an upstream, by its name, and how long the head of its answer took.

        `answered`, `step-up`, `timeout`, `failed`, `overloaded`, or `left`: whoever asked did not wait for it.
        """

    def upstream_answer_ended(self, upstream: str, outcome: str) -> None:
        """Hear how an answer's body ended: `whole`, `broken-off`, `left` by its reader, or `ended` by us."""

    def watch_upstream_exchanges(self, numbers: Callable[[], Mapping[str, int]]) -> None:
        """Ask from now on how many exchanges with each upstream are under way in this process."""

    def streams_open(self, count: int) -> None:
        """Hear how many event streams are open in this process from now on."""

    def sockets_open(self, upstream: str, count: int) -> None:
        """Hear how many WebSockets of a row, by its name, are open in this process from now on."""

    def events_pushed(self, *, is_pushed: bool) -> None:
        """Hear whether hints of changes arrive in this process from now on."""

    def end_not_replicated(self) -> None:
        """Hear that an end was told as done although no replica has it, because none is there."""
