"""MSAL's cache as a record: what is kept of one to which a refused answer was added."""

import json
from typing import Any

from gateway.tokens.token_records import with_newer_refresh_token


def cache(**secrets: str) -> str:
    """Return a cache with a refresh token for each account."""
    tokens: dict[str, Any] = {
        who: {"secret": secret, "home_account_id": who} for who, secret in secrets.items()
    }
    return json.dumps({"RefreshToken": tokens, "Account": {who: {"home_account_id": who} for who in secrets}})


def test_L3_a_refresh_token_that_was_renewed_stays_under_its_own_person() -> None:
    kept = json.loads(with_newer_refresh_token(cache(ada="old"), cache(ada="old", another="new")))

    assert kept == json.loads(cache(ada="new"))


def test_L3_without_a_newer_refresh_token_the_old_one_stays() -> None:
    assert json.loads(with_newer_refresh_token(cache(ada="old"), cache(ada="old"))) == json.loads(
        cache(ada="old")
    )
    assert json.loads(with_newer_refresh_token("{}", cache(ada="new"))) == {}
