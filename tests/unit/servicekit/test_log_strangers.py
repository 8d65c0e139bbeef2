"""A stranger's forged requests wash no log away, and no line of somebody known is counted among them (A6)."""

import logging
from typing import Any

from servicekit.log_folding import Folding
from servicekit.log_strangers import StrangerLimits, Strangers

LIMITS = StrangerLimits(refused=3, others=5, in_all=10)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def line(event: str = "request", level: int = logging.INFO, **fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {
            "name": "gateway.access",
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": event,
            "event_fields": {"method": "GET", "route": "/", "status": 404, **fields},
        }
    )


def counts(strangers: Strangers) -> list[dict[str, Any]]:
    return [record.event_fields for record in strangers.due()]  # type: ignore[attr-defined]


def test_A6_of_a_flood_the_first_lines_are_written_and_then_one_with_the_exact_count() -> None:
    clock = Clock()
    strangers = Strangers(now=clock, limits=LIMITS)

    taken = [strangers.takes(line(reference=f"R{n}", milliseconds=n), "192.0.2.0/24") for n in range(100)]

    assert taken == [False] * 3 + [True] * 97
    assert counts(strangers) == [], "its time is not over"
    clock.now += 10
    assert counts(strangers) == [
        {
            "method": "GET",
            "route": "/",
            "status": 404,
            "repeated": 97,
            "networks": 1,
            "most_from": {"192.0.2.0/24": 97},
            "references": [f"R{n}" for n in range(3, 23)],
        }
    ]
    assert counts(strangers) == []
    assert not strangers.takes(line(), "192.0.2.0/24"), "the next window begins with lines"


def test_A6_a_flood_from_one_network_hides_nobody_elsewhere() -> None:
    strangers = Strangers(now=Clock(), limits=LIMITS)
    for _ in range(1_000):
        strangers.takes(line(), "192.0.2.0/24")

    assert not strangers.takes(line(), "198.51.100.0/24")


def test_A6_refusals_do_not_use_up_what_others_are_shown_by() -> None:
    strangers = Strangers(now=Clock(), limits=LIMITS)
    for _ in range(1_000):
        strangers.takes(line(), "192.0.2.0/24")

    assert not strangers.takes(line(status=200), "192.0.2.0/24")


def test_A6_many_networks_write_no_more_than_the_number_in_all() -> None:
    clock = Clock()
    strangers = Strangers(now=clock, limits=LIMITS)

    taken = [strangers.takes(line(), f"2001:db8:{n:x}::/56") for n in range(20_000)]

    assert taken.count(False) == 10
    clock.now += 10
    (counted,) = counts(strangers)
    assert (counted["repeated"], len(counted["most_from"])) == (19_990, 3)


def test_A6_what_a_stranger_can_vary_makes_no_kind_of_its_own() -> None:
    clock = Clock()
    strangers = Strangers(now=clock, limits=LIMITS)
    for n in range(2_000):
        strangers.takes(line(status=400 + n % 2, log_detail=f"odd {n}", reference=f"R{n}"), "192.0.2.0/24")

    clock.now += 10
    assert sorted(counted["status"] for counted in counts(strangers)) == [400, 401]


def test_A6_however_many_kinds_there_are_the_counts_are_few_and_complete() -> None:
    clock = Clock()
    strangers = Strangers(now=clock, limits=LIMITS)
    for n in range(5_000):
        strangers.takes(line(route=f"/{n}"), "192.0.2.0/24")

    clock.now += 10
    counted = counts(strangers)
    assert len(counted) <= 1_001
    assert sum(one["repeated"] for one in counted) == 4_997


def test_A6_a_line_about_somebody_known_a_warning_and_an_error_are_never_counted() -> None:
    folding = Folding(now=Clock(), strangers=Strangers(now=Clock(), limits=LIMITS))
    known = [line(session=f"s{n}") for n in range(100)]
    loud = [line(level=logging.WARNING, session=f"s{n}") for n in range(100)]
    for record in loud:
        record.stranger = "192.0.2.0/24"

    assert not any(folding.takes(record) for record in (*known, *loud))


def test_A6_at_the_end_of_a_process_what_was_counted_is_told() -> None:
    folding = Folding(now=Clock(), strangers=Strangers(now=Clock(), limits=LIMITS))
    for _ in range(8):
        record = line()
        record.stranger = "192.0.2.0/24"
        folding.takes(record)

    (counted,) = folding.due(at_the_end=True)
    assert counted.event_fields["repeated"] == 5  # type: ignore[attr-defined]
