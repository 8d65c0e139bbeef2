"""What each limit allows, whose it is, what it is called, and what a refusal says."""

import re

import pytest

from gateway.edge.limit_rules import CLAIMED, IN_VAIN, OF_NETWORKS, SENTENCES, Limit, Rule, Window, rules_of


def test_S51_limits_are_called_so_in_metrics_and_logs() -> None:
    assert {limit.value for limit in Limit} == {
        "sign-ins",
        "callbacks",
        "logout-calls",
        "logout-tokens",
        "session-cookies",
        "step-ups",
        "edits",
        "reads",
        "streams",
        "own-sessions",
        "upstream-reads",
        "upstream-writes",
        "anonymous-reads",
        "anonymous-writes",
    }


def test_S51_what_is_allowed_follows_from_what_an_operator_says() -> None:
    rules = rules_of(sign_ins=10)
    a_minute = Rule((Window(10, 60),))

    assert rules == {
        Limit.SIGN_INS: Rule((Window(10, 60), Window(20, 600))),
        Limit.CALLBACKS: a_minute,
        Limit.LOGOUT_CALLS: a_minute,
        Limit.LOGOUT_TOKENS: a_minute,
        Limit.SESSION_COOKIES: a_minute,
        Limit.STEP_UPS: Rule((Window(30, 60),)),
        Limit.EDITS: Rule((Window(120, 60),)),
        Limit.READS: Rule((Window(1200, 60),)),
        Limit.STREAMS: Rule((Window(300, 60),)),
        Limit.OWN_SESSIONS: Rule((Window(120, 60),)),
        Limit.UPSTREAM_READS: Rule((Window(1200, 60),)),
        Limit.UPSTREAM_WRITES: Rule((Window(120, 60),)),
        Limit.ANONYMOUS_READS: Rule((Window(100, 60),)),
        Limit.ANONYMOUS_WRITES: a_minute,
    }
    grown = rules_of(sign_ins=6000)
    assert [grown[one].windows[0].most for one in (Limit.STEP_UPS, Limit.EDITS, Limit.READS)] == [
        300,
        1200,
        12000,
    ]
    said = rules_of(sign_ins=6000, step_ups=1, edits=2, reads=3)
    assert [one.windows[0].most for one in said.values()] == [
        *(6000, 6000, 6000, 6000, 6000, 1, 2, 3, 1, 1),
        *(3, 2, 60_000, 6000),
    ]


def test_S51_what_is_not_a_person_s_is_a_network_s() -> None:
    of_persons = {Limit.STEP_UPS, Limit.EDITS, Limit.READS, Limit.STREAMS, Limit.OWN_SESSIONS}
    of_persons |= {Limit.UPSTREAM_READS, Limit.UPSTREAM_WRITES}
    assert set(Limit) - of_persons == OF_NETWORKS
    assert {Limit.SIGN_INS, Limit.STEP_UPS} == CLAIMED, "these write what they begin"
    assert {Limit.CALLBACKS, Limit.LOGOUT_CALLS} == IN_VAIN, "these are nothing bad by themselves"


@pytest.mark.parametrize("limit", Limit)
def test_S51_a_refusal_speaks_of_the_network_or_to_the_person(limit: Limit) -> None:
    beginning = "Too many " if limit in OF_NETWORKS else "You"

    assert re.fullmatch(rf"{beginning}[a-z ]+\w\.", SENTENCES[limit].replace("-", " "))
