"""A cookie of our making is known again without asking Redis, and nobody else can make one."""

import secrets

from gateway.session.cookie import SessionCookie
from gateway.session.cookie_marks import CookieMarks

KEY, OTHER = b"k" * 32, b"l" * 32


def test_A5_S14_a_cookie_that_was_made_here_is_known_again_also_by_the_next_key() -> None:
    marks = CookieMarks([KEY])
    cookie = marks.new()
    later = marks.new(cookie.family)

    for known in (cookie, later, SessionCookie.parse(cookie.text)):
        assert marks.is_ours(known)
        assert CookieMarks([OTHER, KEY]).is_ours(known)
    assert later.family == cookie.family
    assert later.id != cookie.id


def test_A5_S14_no_cookie_is_known_that_was_made_otherwise() -> None:
    marks, cookie = CookieMarks([KEY]), CookieMarks([KEY]).new()

    for strange in (
        None,
        SessionCookie.new(),
        SessionCookie.new(cookie.family),
        CookieMarks([OTHER]).new(),
        SessionCookie(secrets.token_urlsafe(16), cookie.id, cookie.secret),
        SessionCookie(cookie.family, cookie.id, secrets.token_bytes(32)),
        SessionCookie(cookie.family, marks.new().id, cookie.secret),
    ):
        assert not marks.is_ours(strange)


def test_S14_ids_are_as_long_and_as_different_as_random_ones() -> None:
    made = [CookieMarks([KEY]).new() for _ in range(200)]

    assert all(SessionCookie.parse(cookie.text) == cookie for cookie in made)
    assert len({cookie.id for cookie in made}) == len({cookie.family for cookie in made}) == 200
    assert len({cookie.ref.digest for cookie in made}) == 200
