"""The authorization response: read once and whole (S7), of our own authority (S5), and what its refusals mean."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SignInCancelled, SignInFailed, StepUpCancelled
from gateway.flows.authorization_response import check_issuer, read_response, refused
from servicekit.discovery import AuthorityMetadata
from servicekit.errors import AccessBlocked, AuthorityUnavailable, Misconfigured
from servicekit.http.bodies import LARGEST_BODY

ISSUER = "https://login.example.com/tenant/v2.0"
GOOD = {"code": "c", "state": "s"}
KNOWN = (
    *("code", "state", "error", "iss", "session_state", "client_info"),
    *("error_description", "error_subcode", "error_uri"),
)

Pairs = Sequence[tuple[str, str]]


class Reader:
    """Reads what is sent to it, as a callback's handler does."""

    def __init__(self) -> None:
        self.app = web.Application(client_max_size=LARGEST_BODY)
        self.app.router.add_route("*", "/", self._read)

    async def _read(self, request: web.Request) -> web.Response:
        try:
            return web.json_response(await read_response(request))
        except SignInFailed as failed:
            return web.json_response(failed.log_detail, status=failed.status)


class Sender:
    """Sends an authorization response in one of the two ways; returns what was read, or why it was refused."""

    def __init__(self, aiohttp_client: AiohttpClient, way: str) -> None:
        self._client = aiohttp_client
        self._way = way

    async def __call__(self, pairs: Pairs) -> Any:
        client = await self._client(Reader().app)
        if self._way == "query":
            answer = await client.get(f"/?{urlencode(pairs)}")
        else:
            answer = await client.post(
                "/",
                data=urlencode(pairs).encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
        return await answer.json()


@pytest.fixture(params=["query", "form_post"])
def send(aiohttp_client: AiohttpClient, request: pytest.FixtureRequest) -> Sender:
    return Sender(aiohttp_client, request.param)


async def test_all_that_an_authority_says_is_read_and_nothing_else(send: Sender) -> None:
    said = {name: f"the {name}" for name in KNOWN if name != "error"}

    assert await send([("odd", "1"), *said.items(), ("odd", "2"), ("claims", "x")]) == said


async def test_a_refusal_is_read_as_well(send: Sender) -> None:
    said = {"error": "access_denied", "state": "s", "error_description": ""}

    assert await send(list(said.items())) == said


@pytest.mark.parametrize("name", KNOWN)
async def test_S7_nothing_is_said_twice(send: Sender, name: str) -> None:
    once = {**GOOD, name: "x"} if name != "error" else {"error": "e", "state": "s"}

    assert await send(list(once.items())) == once
    assert await send([*once.items(), (name, once[name])]) == f"the answer holds {name} twice"


@pytest.mark.parametrize(
    "said",
    [
        [],
        [("state", "s")],
        [("code", "c")],
        [("error", "e")],
        [("code", "c"), ("state", "")],
        [("error", "e"), ("state", "")],
        [("code", "c"), ("error", "e"), ("state", "s")],
        [("odd", "s"), ("code", "c")],
    ],
    ids=str,
)
async def test_S7_there_is_a_state_and_either_a_code_or_an_error(send: Sender, said: Pairs) -> None:
    assert await send(said) == "the answer holds no state, or not one of code and error"


async def test_S7_a_form_does_not_bring_a_query_as_well(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Reader().app)

    for query, status in (("", 200), ("?code=other", 400), ("?x", 400)):
        assert (await client.post(f"/{query}", data=GOOD)).status == status, query


async def test_X2_a_form_may_come_in_pieces_and_is_no_longer_than_anything_we_read(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(Reader().app)
    form = urlencode({**GOOD, "pad": ""}).encode()
    largest = form + b"x" * (LARGEST_BODY - len(form))
    named = {"Content-Type": "application/x-www-form-urlencoded"}

    async def pieces(*more: bytes) -> Any:
        for piece in (form, *more):
            yield piece

    assert (await client.post("/", data=largest, headers=named)).status == 200
    refusal = await client.post("/", data=largest + b"x", headers=named)
    assert (refusal.status, await refusal.json()) == (400, "the answer is larger than any")
    assert (await client.post("/", data=pieces(), headers=named)).status == 200
    assert (await client.post("/", data=pieces(largest), headers=named)).status == 400
    assert (await client.post("/", data=form, headers={"Content-Type": "text/plain"})).status == 400


def metadata(*, promises_issuer: bool) -> AuthorityMetadata:
    return AuthorityMetadata(ISSUER, "", "", "", None, promises_issuer)


@pytest.mark.parametrize("promises", [False, True])
def test_S5_an_answer_may_name_our_issuer_and_no_other(*, promises: bool) -> None:
    check_issuer(metadata(promises_issuer=promises), ISSUER)
    for named in ("", f"{ISSUER}/", ISSUER.upper(), "https://evil.example", "é"):
        with pytest.raises(SignInFailed):
            check_issuer(metadata(promises_issuer=promises), named)


def test_S5_an_issuer_that_was_promised_must_be_named() -> None:
    check_issuer(metadata(promises_issuer=False), None)
    with pytest.raises(SignInFailed):
        check_issuer(metadata(promises_issuer=True), None)


def test_whoever_cancels_is_told_that_they_did() -> None:
    assert type(refused("access_denied", stepping_up=True)) is StepUpCancelled
    assert type(refused("access_denied", stepping_up=False)) is SignInCancelled


@pytest.mark.parametrize(
    "said",
    [
        ("access_denied",),
        ("access_denied", "The user hit Back."),
        ("access_denied", "AADSTS65004: User declined to consent to access the app."),
        ("consent_required", "AADSTS65004: User declined to consent to access the app."),
        ("access_denied", "AADB2C90091: The user has cancelled entering self-asserted information."),
        ("invalid_request", "AADB2C90091: The user has cancelled entering self-asserted information."),
        ("access_denied", "", "cancel"),
        ("server_error", "", "cancel"),
        ("user_cancelled",),
        ("user_canceled",),
        ("user_cancelled_authorize",),
        ("user_cancelled_login",),
        ("login_cancelled",),
        ("login_canceled",),
        ("interaction_cancelled",),
        ("authentication_canceled",),
        ("cancelled",),
        ("consent_declined",),
        ("user_declined",),
        ("user_denied",),
        ("user_denied_access",),
    ],
    ids=str,
)
def test_W6_a_cancel_is_a_cancel_in_all_its_names(said: tuple[str, ...]) -> None:
    assert type(refused(*said, stepping_up=True)) is StepUpCancelled
    assert type(refused(*said, stepping_up=False)) is SignInCancelled


# Of Microsoft's list of AADSTS error codes: accounts, devices, Conditional Access, access from another tenant.
POLICY = (
    *(50020, 50053, 50057, 50105, 50131, 50177, 500211, 500212, 500213),
    *(53000, 53001, 53002, 53003, 53004, 53009, 53011, 530032, 530034, 530035),
)


@pytest.mark.parametrize("number", POLICY)
@pytest.mark.parametrize("error", ["access_denied", "interaction_required"])
def test_W6_whom_a_policy_keeps_out_did_not_cancel(error: str, number: int) -> None:
    blocked = refused(
        error, f"AADSTS{number}: Somebody at 203.0.113.7 may not. Trace ID: 0", stepping_up=False
    )

    assert type(blocked) is AccessBlocked
    assert blocked.log_detail == f"{error} AADSTS{number}"
    assert blocked.detail == ""


@pytest.mark.parametrize(
    "description",
    [
        "AADSTS65001: no consent",
        "AADSTS530030",
        "xAADSTS53003",
        "53003",
        "AADSTS53003x",
        "cancelled",
        "aadsts65004",
    ],
)
def test_W6_other_words_of_a_description_mean_nothing(description: str) -> None:
    failed = refused("invalid_request", description, stepping_up=False)

    assert type(failed) is Misconfigured
    assert "cancelled" not in failed.log_detail


def test_W6_what_is_no_code_is_neither_quoted_nor_logged() -> None:
    failed = refused("access_denied", "AADB2C90091: Ada <ada@example.com> cancelled", stepping_up=False)

    assert (failed.log_detail, failed.detail) == ("access_denied AADB2C90091", "")


@pytest.mark.parametrize(
    "error, means",
    [
        ("interaction_required", SignInFailed),
        ("login_required", SignInFailed),
        ("invalid_grant", SignInFailed),
        ("", Misconfigured),
        ("server_error", AuthorityUnavailable),
        ("temporarily_unavailable", AuthorityUnavailable),
        ("invalid_request", Misconfigured),
        ("unauthorized_client", Misconfigured),
        ("consent_required", Misconfigured),
        ("something new", Misconfigured),
    ],
)
@pytest.mark.parametrize("stepping_up", [True, False])
def test_S8_a_refusal_means_one_of_our_own_outcomes(
    error: str, means: type[Exception], *, stepping_up: bool
) -> None:
    outcome = refused(error, stepping_up=stepping_up)

    assert type(outcome) is means
    assert outcome.detail == "", "nothing of what the authority says is shown"


@given(st.text(max_size=300), st.booleans())
def test_S8_whatever_the_authority_says_is_in_no_answer(error: str, stepping_up: bool) -> None:  # noqa: FBT001 - hypothesis gives it
    problem = refused(error, stepping_up=stepping_up).problem()

    assert problem.detail == ""
    assert not problem.members


def test_S5_an_issuer_that_is_no_text_at_all_is_another_issuer() -> None:
    with pytest.raises(SignInFailed):
        check_issuer(metadata(promises_issuer=True), "\ud800")
