"""From people to load: what so many people do in their busiest hour, by habits that are said and can be changed.

Owns the formulas, and no figure that was measured (`measured.py`). Rates are a second.
"""

from dataclasses import dataclass

_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Habits:
    """What people do; an operator puts the own figures in."""

    sign_ins_a_day: float = 1.0
    """A person and day."""
    busiest_hour: float = 0.15
    """The part of the day's sign-ins that the busiest hour has."""
    busiest_minute: float = 2.0
    """How much more than in the mean of that hour."""
    use_minutes: float = 30.0
    """For how long a session is used; it lies in Redis until it was idle for `idle_minutes`."""
    idle_minutes: float = 30.0
    reads_of_session: float = 10.0
    """Requests of the kind W1 in a session."""
    reads_of_rows: float = 30.0
    """Requests of the kind W2 in a session."""
    saves: float = 0.2
    """Edits a session; each takes a step-up in `step_ups` of them."""
    step_ups: float = 0.5
    refresh_minutes: float = 60.0
    """How long an access token is good; every session in use renews one as often."""
    tabs: float = 1.0
    """Event streams that a session in use holds open."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the busiest minute brings, a second, and what lies there."""

    people: int
    sign_ins: float
    step_ups: float
    saves: float
    reads_of_session: float
    reads_of_rows: float
    refreshes: float
    sessions: float
    """In Redis at once."""
    streams: float
    """Open at once."""

    @property
    def requests(self) -> float:
        """All requests to the gateway; a sign-in and a step-up are two each, and an edit that waits is sent twice."""
        return 2 * self.sign_ins + 3 * self.step_ups + self.saves + self.reads_of_session + self.reads_of_rows


def load_of(people: int, habits: Habits) -> Load:
    """Return the load of so many people."""
    starts = people * habits.sign_ins_a_day * habits.busiest_hour / _HOUR
    peak = starts * habits.busiest_minute
    in_use = starts * habits.use_minutes * 60
    saves = peak * habits.saves
    return Load(
        people,
        sign_ins=peak,
        step_ups=saves * habits.step_ups,
        saves=saves,
        reads_of_session=peak * habits.reads_of_session,
        reads_of_rows=peak * habits.reads_of_rows,
        refreshes=in_use / (habits.refresh_minutes * 60) * habits.busiest_minute,
        sessions=starts * (habits.use_minutes + habits.idle_minutes) * 60,
        streams=in_use * habits.tabs,
    )
