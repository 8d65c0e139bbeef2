"""What is kept of a profile: nothing is shown that Graph has not just said."""

import json

import pytest

from gateway.profile.fields import MEMBERS, Profile, profile_of
from gateway.profile.kept import answer_for, keep_profile, known_profile
from gateway.session.cookie import SessionCookie
from gateway.session.records import SessionRecords
from gateway.session.sessions import LiveSession, UserSession
from servicekit.errors import ResourceUnavailable
from servicekit.http.conditions import etag_of
from servicekit.reply import Reply
from tests.unit.gateway.profile.test_graph import OID, Reader, nobodys_vault, reply


def session() -> LiveSession:
    user = UserSession(tid="t", oid=OID, sub="s", name="n", username="u", created_at=0)
    cookie = SessionCookie.new()
    return LiveSession(
        cookie, user, 1e12, 1e12, SessionRecords(nobodys_vault(), cookie.ref, cookie.secret, {})
    )


def said(**members: str) -> bytes:
    return json.dumps({"id": OID, **members}).encode()


def test_an_answer_that_is_the_same_to_the_letter_is_the_profile_that_it_was() -> None:
    live, body = session(), said(city="Turin")
    profile = profile_of(json.loads(body))
    keep_profile(live, body, profile)

    assert known_profile(live, said(city="Turin")) is profile
    for other in (said(city="turin"), said(city="Turin", state="x"), body + b" ", b"", body[:-1]):
        assert known_profile(live, other) is None
    assert known_profile(session(), body) is None, "nor is it anybody else's"


def test_what_is_larger_than_a_profile_is_not_kept() -> None:
    live, body = session(), said(city="T" * 8_192)
    keep_profile(live, body, profile_of(json.loads(body)))

    assert known_profile(live, body) is None


def test_the_answer_of_a_session_is_that_of_its_profile_of_now() -> None:
    live = session()
    one = Profile(dict.fromkeys(MEMBERS) | {"id": OID, "city": "Turin"})
    two = Profile({**one, "city": "Rome"})

    for profile in (one, one, two, one, two):
        answer = answer_for(live, profile)
        assert (json.loads(answer.body or b""), answer.headers["ETag"]) == (profile, etag_of(profile))  # type: ignore[arg-type]


@pytest.mark.parametrize("then", [b'{"id": "another"}', b"{}", b"[]", b"no", b""])
async def test_what_graph_says_now_is_judged_whatever_it_said_before(then: bytes) -> None:
    good = reply(200)
    reader = Reader(lambda number: good if number < 3 else Reply(200, good.headers, then))
    assert [await reader.read(), await reader.read()] == [OID, OID]

    with pytest.raises(ResourceUnavailable):
        await reader.read()
