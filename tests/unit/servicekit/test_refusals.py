"""What refused token requests mean: by error, suberror and claims, never by number or text."""

import pytest

from servicekit.refusals import Refusal, RefusalKind, refusal_of

CLAIMS = '{"access_token":{}}'


@pytest.mark.parametrize(
    "answer, kind",
    [
        ({"error": "interaction_required"}, "interaction"),
        ({"error": "login_required"}, "interaction"),
        ({"error": "invalid_grant", "suberror": "basic_action", "claims": CLAIMS}, "interaction"),
        ({"error": "invalid_grant", "suberror": "additional_action"}, "interaction"),
        ({"error": "invalid_grant", "suberror": "user_password_expired"}, "interaction"),
        ({"error": "invalid_grant", "claims": CLAIMS}, "interaction"),
        ({"error": "invalid_grant", "suberror": "message_only"}, "blocked"),
        ({"error": "invalid_grant", "suberror": "message_only", "claims": CLAIMS}, "blocked"),
        ({"error": "access_denied"}, "blocked"),
        ({"error": "access_denied", "claims": CLAIMS}, "blocked"),
        ({"error": "invalid_client", "claims": CLAIMS}, "misconfigured"),
        ({"error": "invalid_grant"}, "grant-dead"),
        ({"error": "invalid_grant", "suberror": "bad_token"}, "grant-dead"),
        ({"error": "invalid_grant", "suberror": "something_new"}, "grant-dead"),
        ({"error": "invalid_grant", "claims": ""}, "grant-dead"),
        ({"error": "invalid_grant", "claims": {"a": 1}}, "grant-dead"),
        (None, "grant-dead"),
        ({"error": "invalid_grant", "suberror": "consent_required"}, "misconfigured"),
        ({"error": "consent_required"}, "misconfigured"),
        ({"error": "invalid_client"}, "misconfigured"),
        ({"error": "unauthorized_client"}, "misconfigured"),
        ({"error": "invalid_scope"}, "misconfigured"),
        ({"error": "invalid_resource"}, "misconfigured"),
        ({"error": "invalid_request"}, "misconfigured"),
        ({"error": 7}, "misconfigured"),
        ({}, "misconfigured"),
        ({"access_token": 7}, "misconfigured"),
        ({"error": "temporarily_unavailable"}, "unavailable"),
        ({"error": "server_error"}, "unavailable"),
    ],
    ids=str,
)
def test_each_refusal_has_one_meaning(answer: dict[str, object] | None, kind: str) -> None:
    refusal = refusal_of(answer)

    assert refusal is not None
    assert refusal.kind is RefusalKind(kind)


def test_a_token_is_no_refusal() -> None:
    assert refusal_of({"access_token": "x"}) is None
    assert refusal_of({"access_token": "x", "error": "invalid_grant"}) is not None


@pytest.mark.parametrize("claims", [CLAIMS, ' {"a":"' + "x" * 4087 + '"}'], ids=["short", "long"])
def test_claims_are_handed_on_as_they_came(claims: str) -> None:
    refusal = refusal_of({"error": "interaction_required", "claims": claims})

    assert refusal is not None
    assert refusal.claims == claims
    assert claims not in str(refusal)


@pytest.mark.parametrize(
    "claims",
    [
        "nonsense",
        "[]",
        '"text"',
        '{"a":1,"a":2}',
        '{"a":"\ud800"}',
        '{"a":"' + "x" * 4096 + '"}',
        {"a": 1},
        7,
    ],
    ids=lambda claims: str(claims)[:20].encode("ascii", "replace").decode(),
)
def test_claims_that_no_request_can_carry_are_none(claims: object) -> None:
    refusal = refusal_of({"error": "interaction_required", "claims": claims})

    assert refusal is not None
    assert refusal.claims is None


def test_S35_what_is_logged_is_words_and_numbers() -> None:
    refusal = refusal_of(
        {
            "error": "invalid\r\ngrant",
            "suberror": "x" * 61,
            "error_codes": [50076, "canary", 7, 8, 9, 10, 11],
            "error_description": "canary",
        }
    )

    assert str(refusal) == "no_access_token AADSTS50076 AADSTS7 AADSTS8 AADSTS9 AADSTS10"
    assert str(Refusal(RefusalKind.BLOCKED, "a", "b", codes=(1,))) == "a b AADSTS1"
