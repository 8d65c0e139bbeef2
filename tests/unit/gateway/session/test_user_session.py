"""What a session says of its person, and how much room it takes opened."""

from typing import Any

import pytest

from gateway.audit.subject import Subject
from gateway.session.confirmation import Confirmation
from gateway.session.cookie import SessionCookie
from gateway.session.opened_records import OpenedRecords
from gateway.session.user_session import OpenedSession, user_of
from tests.unit.gateway.store_of_tests import ada


def test_an_opened_session_takes_what_was_read_four_times_and_what_stands_around_it() -> None:
    cookie, user = SessionCookie.new(), ada()
    records = OpenedRecords({"a": b"x" * 100, "b": b"y" * 20, "there is none": None})
    subject = Subject(user.tid, user.oid, cookie.ref)

    opened = OpenedSession(cookie, user, 0.0, 0.0, b"", records, subject)
    assert opened.size == 4_000 + 4 * 120
    records.grown = 30
    assert opened.recounted() == opened.size
    assert records.grown == 0, "it is counted now"


@pytest.mark.parametrize(
    "said, last",
    [
        ({}, None),
        ({"last_mfa_at": 5}, 5),
        ({"last_mfa_at": 5, "confirmations": {}}, 5),
        ({"last_mfa_at": 5, "confirmations": {"edit": 7, "notes": 9, "bills": 8}}, 9),
        ({"confirmations": {"edit": 7}}, 7),
    ],
)
def test_the_last_confirmation_is_the_newest_for_whatever_it_was(
    said: dict[str, Any], last: int | None
) -> None:
    if "confirmations" in said:
        said = said | {
            "confirmations": {key: Confirmation(at=at) for key, at in said["confirmations"].items()}
        }

    assert ada(**said).last_confirmed_at == last


@pytest.mark.parametrize("differs", ["tid", "oid", "sub"])
def test_another_tenant_object_or_subject_is_another_person(differs: str) -> None:
    assert ada().is_same_person(ada(name="Ada King"))
    assert not ada().is_same_person(ada(**{differs: "another"}))


@pytest.mark.parametrize("stored", [b"", b"{}", b"null", b'{"tid": "t"}', b"\xff", b'{"version": 2}'])
def test_what_is_no_record_of_a_session_is_nobodys(stored: bytes) -> None:
    assert user_of(stored) is None
