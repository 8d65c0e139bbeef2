"""What refused token requests mean: by error, suberror and claims, and by number where nothing else speaks."""

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


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "mfa_required", "mfa_token": "x"},  # Auth0
        {"error": "MFA_Required"},
        {"error": "mfa-required"},
        {"error": " mfa_required "},
        {"error": {"code": "mfa_required", "message": "x"}},
        {"error": {"type": "login_required", "code": 190}},
        {"errorCode": "mfa_required", "errorSummary": "x"},
        {"error": "mfa_enrollment_required"},
        {"error": "two_factor_required"},
        {"error": "step_up_required"},
        {"error": "reauthentication_required"},
        {"error": "password_change_required"},
        {"error": "terms_acceptance_required"},
        {"error": "account_selection_required"},
        {"error": "unmet_authentication_requirements"},
        {"error": "insufficient_user_authentication"},
        {"error": "insufficient_claims", "claims": CLAIMS},
        {"error": "Interaction_Required"},
        {"error": "invalid_grant", "suberror": "Basic_Action"},
        {"error": "invalid_grant", "error_subtype": "invalid_rapt"},  # Google
        {"error": "invalid_grant", "error_codes": [50076]},
        {"error": "invalid_grant", "error_codes": [7, 50079]},
        {"error": "invalid_grant", "error_codes": [50074], "suberror": ""},
        {"error": "interaction_required", "error_codes": [53003]},
    ],
    ids=str,
)
def test_W3_whatever_asks_the_person_is_interaction(answer: dict[str, object]) -> None:
    refusal = refusal_of(answer)

    assert refusal is not None
    assert refusal.kind is RefusalKind.INTERACTION


@pytest.mark.parametrize(
    "answer, kind",
    [
        ({"error": "client_authentication_required"}, "misconfigured"),
        ({"error": "dpop_proof_required"}, "misconfigured"),
        ({"error": "something_required"}, "misconfigured"),
        ({"error": "mfa_failed"}, "misconfigured"),
        ({"error": "invalid_grant", "error_codes": [53003]}, "blocked"),
        ({"error": "invalid_grant", "suberror": "bad_token", "error_codes": [50076]}, "grant-dead"),
        ({"error": "invalid_grant", "error_codes": [70008]}, "grant-dead"),
        ({"error": "invalid_grant", "error_codes": ["50076"]}, "grant-dead"),
        ({"error": "invalid_client", "error_codes": [50076]}, "misconfigured"),
        ({"error": "bad_refresh_token"}, "grant-dead"),  # GitHub, with status 200
        ({"error": "INVALID_GRANT"}, "grant-dead"),
        ({"error": "invalid_token"}, "grant-dead"),
        ({"error": "slow_down"}, "unavailable"),
        ({"error": "Rate_Limit_Exceeded"}, "unavailable"),
        ({"errorCode": "invalid_client"}, "misconfigured"),  # Okta
        ({"error": {"message": "x"}}, "misconfigured"),
        ({"error": ["mfa_required"]}, "misconfigured"),
    ],
    ids=str,
)
def test_W3_what_asks_nobody_is_what_it_was(answer: dict[str, object], kind: str) -> None:
    refusal = refusal_of(answer)

    assert refusal is not None
    assert refusal.kind is RefusalKind(kind)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "BEARER", "bEARER"])
def test_W11_a_bearer_token_is_one_however_it_is_spelled(kind: str) -> None:
    assert refusal_of({"access_token": "x", "token_type": kind}) is None


@pytest.mark.parametrize("kind", ["DPoP", "mac", "N_A", "", "Bearer ", "pop", 7, ["Bearer"], {}])
def test_W11_a_token_of_another_kind_is_not_used_as_a_bearer_token(kind: object) -> None:
    refusal = refusal_of({"access_token": "x", "token_type": kind})

    assert refusal == Refusal(RefusalKind.MISCONFIGURED, "unsupported_token_type")


@pytest.mark.parametrize("length", [1, 20_000, 32_768])
def test_W11_a_long_token_is_one(length: int) -> None:
    assert refusal_of({"access_token": "x" * length}) is None


@pytest.mark.parametrize(
    "token", ["", 7, [], {}, True, "a\r\nb", "a\n", "a b", " a", "\u00e4", "a\x00", "x" * 32_769]
)
def test_W11_what_no_header_can_carry_is_no_token(token: object) -> None:
    refusal = refusal_of({"access_token": token, "token_type": "Bearer"})

    assert refusal == Refusal(RefusalKind.MISCONFIGURED, "unusable_access_token")


@pytest.mark.parametrize("error", [None, "", False, 0])
def test_W11_an_error_that_says_nothing_is_none(error: object) -> None:
    assert refusal_of({"access_token": "x", "error": error}) is None
    assert refusal_of({"access_token": "x", "errorCode": error}) is None


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
