"""Where a token may stand: S43, and the sample's flaw E11 (200 for no token at all)."""

import pytest

from tests.unit.resource_api.stage import Stage

CHANGE = {"city": "Turin"}


async def test_S43_E11_no_token_is_401_and_names_the_scheme_alone(stage: Stage) -> None:
    answer = await stage.send("PATCH", "/profile", json=CHANGE)

    assert (answer.status, answer.slug) == (401, "invalid-token")
    assert answer.headers.getall("WWW-Authenticate") == ['Bearer realm=""']


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
async def test_S43_the_schemes_case_does_not_matter(stage: Stage, scheme: str) -> None:
    answer = await stage.patch(CHANGE, headers={"Authorization": f"{scheme} {await stage.token()}"})

    assert answer.status == 200


@pytest.mark.parametrize("scheme", ["Basic", "DPoP", "BearerX"])
async def test_S43_a_good_token_of_another_scheme_is_none(stage: Stage, scheme: str) -> None:
    answer = await stage.patch(CHANGE, headers={"Authorization": f"{scheme} {await stage.token()}"})

    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm=""')


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "Bearer a b",
        "Bearer a,b",
        "Bearer\ttoken",
        'Bearer token="x"',
        "Bearer =",
        "Bearer ütoken",
        "Bearer a.b.c",
        "Bearer " + "a" * 8193,
        "Bearer " + "a" * 16_000,
        "Token x",
        "DPoP x",
    ],
)
async def test_S43_what_is_no_bearer_token_is_401(stage: Stage, value: str) -> None:
    answer = await stage.patch(CHANGE, headers={"Authorization": value})

    assert (answer.status, answer.slug) == (401, "invalid-token")
    assert answer.challenge.error in {None, "invalid_token"}


async def test_S43_query_and_form_carry_no_token(stage: Stage) -> None:
    token = await stage.token()

    in_query = await stage.send("PATCH", f"/profile?access_token={token}", json=CHANGE)
    in_form = await stage.send("PATCH", "/profile", data={"access_token": token, "city": "Turin"})
    in_both = await stage.send(
        "PATCH", f"/profile?access_token={token}", json=CHANGE, headers={"Authorization": f"Bearer {token}"}
    )
    in_cookie = await stage.send(
        "PATCH", "/profile", json=CHANGE, headers={"Cookie": f"access_token={token}"}
    )

    assert [answer.status for answer in (in_query, in_form, in_both, in_cookie)] == [401, 401, 400, 401]
    assert (await stage.held())["city"] != "Turin"


async def test_S43_two_authorization_headers_are_refused(stage: Stage) -> None:
    good = f"Bearer {await stage.token()}"
    for first, second in ((good, good), (good, "Bearer x"), ("Basic YTpi", good)):
        answer = await stage.send(
            "PATCH", "/profile", json=CHANGE, headers=[("Authorization", first), ("Authorization", second)]
        )
        assert (answer.status, answer.slug, answer.challenge.error) == (400, "bad-request", "invalid_request")
    assert (await stage.held())["city"] != "Turin"
