"""How token answers are read, whoever wrote them (W1, W3, W11)."""

import pytest

from servicekit.token_answer import LONGEST_LIFE, lifetime, read_token_answer


@pytest.mark.parametrize(
    "expires_in, seconds",
    [
        (20, 20),
        ("20", 20),
        (" 20 ", 20),
        ("20.9", 20),
        (20.9, 20),
        (0.4, 1),
        (None, None),
        (True, None),
        (0, None),
        (-5, None),
        ("-1", None),
        ([60], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), LONGEST_LIFE),
        (10**400, LONGEST_LIFE),
        (LONGEST_LIFE + 1, LONGEST_LIFE),
    ],
)
def test_W1_a_lifetime_is_read_in_every_form_that_is_in_use(expires_in: object, seconds: int | None) -> None:
    assert lifetime(expires_in) == seconds


@pytest.mark.parametrize("expires_in", ["soon", "", "1h", "2026-11-26T12:00:00Z"])
def test_a_lifetime_in_words_is_none(expires_in: str) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        lifetime(expires_in)


JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "body, content_type, answer",
    [
        (b'{"access_token":"t"}', JSON, {"access_token": "t"}),
        (b'{"access_token":"t"}', "text/html", {"access_token": "t"}),
        (b'\xef\xbb\xbf{"access_token":"t"}', JSON, {"access_token": "t"}),
        (b'{"access_token":"t","error":null,"id_token":null}', JSON, {"access_token": "t"}),
        (b'{"refresh_in":"soon","ext_expires_in":[],"expires_on":"today"}', JSON, {}),
        (b"error=bad_verification_code&error_description=a+b", FORM, {"error": "bad_verification_code"}),
        (b"error=invalid_grant\n", "text/plain; charset=utf-8", {"error": "invalid_grant"}),
        (
            b"access_token=t&expires_in=60&scope=",
            f"{FORM}; charset=utf-8",
            {"access_token": "t", "expires_in": 60},
        ),
        (b'{"expires_in":"60"}', JSON, {"expires_in": 60}),
        (b'{"expires_in":60.9}', JSON, {"expires_in": 60}),
        (b'{"expires_in":0}', JSON, {}),
        (b'{"expires_in":-1}', JSON, {}),
        (b'{"expires_in":false}', JSON, {}),
        (b'{"expires_in":1e999}', JSON, {"expires_in": LONGEST_LIFE}),
        (b'{"expires_in":NaN}', JSON, {}),
        (b'{"expires_in":"soon"}', JSON, {"expires_in": "soon"}),
        (b'{"expires_in":[60]}', JSON, {"expires_in": [60]}),
    ],
)
def test_W3_W11_an_answer_is_read_in_every_form_that_is_in_use(
    body: bytes, content_type: str, answer: dict[str, object]
) -> None:
    read = read_token_answer(body, content_type)

    assert {
        name: value for name, value in read.items() if name not in {"scope", "error_description"}
    } == answer


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"", JSON),
        (b"<html>error=invalid_grant</html>", "text/html"),
        (b"<html>error=invalid_grant</html>", "text/plain"),
        (b"error=invalid_grant", "text/html"),
        (b"error=invalid_grant", ""),
        (b"error=invalid_grant&error=server_error", FORM),
        (b"Service Unavailable", "text/plain"),
        (b"a=b", FORM),
        (b"&".join(b"error%d=x" % number for number in range(60)), FORM),
        (b"[]", JSON),
        (b"null", JSON),
        (b"\xff", JSON),
        (b"[" * 100_000, JSON),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_W3_what_is_no_answer_is_not_read_as_one(body: bytes, content_type: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - from json, from urllib or ours
        read_token_answer(body, content_type)
