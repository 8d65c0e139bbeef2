"""The authority's metadata: fetched on use, judged, and kept through outages (R16)."""

import asyncio
from collections.abc import Callable

import pytest

from servicekit.discovery import IssuerMismatch, ciam_discovery_url, ciam_issuer
from servicekit.errors import AuthorityUnavailable
from servicekit.last_known_good import LastKnownGood
from tests.unit.servicekit.authority import HOST, ISSUER, RULES, Authority, Clock, claims, settled

TENANT = "3f6c2a58-5d0b-4c7e-9a41-7b1d2e8c9f10"


def test_external_ids_addresses() -> None:
    path = "v2.0/.well-known/openid-configuration"

    assert ciam_discovery_url("contoso") == f"https://contoso.ciamlogin.com/contoso.onmicrosoft.com/{path}"
    assert ciam_discovery_url("contoso", TENANT) == f"https://contoso.ciamlogin.com/{TENANT}/{path}"
    assert ciam_issuer(TENANT) == f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"


async def test_metadata_is_fetched_once_by_many(authority: Authority) -> None:
    authority.delay = 0.05
    documents = await asyncio.gather(*(authority.discovery.metadata() for _ in range(20)))

    assert {metadata.issuer for metadata in documents} == {ISSUER}
    assert documents[0].token_endpoint == f"https://{HOST}/tenant/token"
    assert documents[0].end_session_endpoint == f"https://{HOST}/tenant/logout"
    assert authority.asked["metadata"] == 1


async def test_an_authority_may_have_no_end_session_endpoint(authority: Authority) -> None:
    del authority.metadata["end_session_endpoint"]

    assert (await authority.discovery.metadata()).end_session_endpoint is None


@pytest.mark.parametrize("issuer", [ISSUER + "/", ISSUER.upper(), "https://evil.example", ISSUER[:-1]])
async def test_R16_another_issuer_is_refused_and_never_replaces_a_good_one(
    authority: Authority, issuer: str
) -> None:
    good = dict(authority.metadata)
    authority.metadata["issuer"] = issuer
    with pytest.raises(IssuerMismatch):
        await authority.discovery.metadata()

    authority.metadata = good
    authority.ticks.now += 1
    metadata = await authority.discovery.metadata()
    authority.metadata = {**good, "issuer": issuer}
    authority.ticks.now += 25 * 3600
    assert await authority.discovery.metadata() == metadata


@pytest.mark.parametrize(
    "changed",
    [
        {"jwks_uri": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ["https://a"]},
        {"token_endpoint": ""},
        {"token_endpoint": "https:///path"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://a/\r\nb"},
        {"end_session_endpoint": "nowhere"},
        {"issuer": 7},
    ],
    ids=str,
)
async def test_a_document_that_cannot_be_used_is_no_document(
    authority: Authority, changed: dict[str, object]
) -> None:
    authority.metadata |= changed

    with pytest.raises(AuthorityUnavailable):
        await authority.discovery.metadata()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"<html>", b'{"issuer":1,"issuer":2}', b"\xff", b"[" * 50_000]
)
async def test_an_answer_that_is_no_json_object_is_an_outage(authority: Authority, body: bytes) -> None:
    authority.body = body

    with pytest.raises(AuthorityUnavailable):
        await authority.discovery.metadata()


async def test_changed_endpoints_are_used_and_logged(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    await authority.discovery.metadata()
    authority.metadata["token_endpoint"] = f"https://{HOST}/moved/token"
    authority.ticks.now += 25 * 3600

    assert (await authority.discovery.metadata()).token_endpoint == f"https://{HOST}/moved/token"
    assert "authority-metadata-changed" in caplog.text


class Shelf:
    """A store in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    async def save(self, name: str, document: bytes) -> None:
        self.kept[name] = document


async def test_a_failed_refresh_is_not_repeated_for_a_minute() -> None:
    clock = Clock(0)
    calls = 0

    async def fetch() -> bytes:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise AuthorityUnavailable("away")
        return b"1"

    value = LastKnownGood("a number", fetch, int, now=clock)
    assert await value.get() == 1
    clock.now = 24 * 3600
    for _ in range(5):
        assert await value.get() == 1
    assert calls == 2
    clock.now += 60
    assert await value.get() == 1
    assert calls == 3


@pytest.mark.parametrize("asked, held", [(None, 1), (9, 9), (3600, 60)])
async def test_R15_with_nothing_to_serve_a_failure_is_everybodys_for_a_while(
    authority: Authority, asked: int | None, held: int
) -> None:
    authority.status = 503
    authority.headers = {"Retry-After": str(asked)} if asked else {}
    for _ in range(20):
        with pytest.raises(AuthorityUnavailable) as caught:
            await authority.discovery.metadata()
        assert caught.value.retry_after == asked
    assert authority.asked["metadata"] == 1

    authority.status = 200
    authority.ticks.now += held - 0.1
    with pytest.raises(AuthorityUnavailable):
        await authority.discovery.metadata()
    authority.ticks.now += 0.1
    documents = await asyncio.gather(*(authority.discovery.metadata() for _ in range(20)))
    assert {metadata.issuer for metadata in documents} == {ISSUER}
    assert authority.asked["metadata"] == 2


async def test_a_fetch_that_breaks_is_told_as_a_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    async def fetch() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await LastKnownGood("a number", fetch, int).get()
    await asyncio.sleep(0)
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "refresh-failed")


async def test_R16_metadata_and_keys_of_an_earlier_life_serve_while_the_authority_is_away(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf()
    earlier = authority.next_life(shelf)
    token = authority.signers[0].sign(claims())
    await earlier.verify(token, RULES)
    metadata = await authority.discovery.metadata()
    authority.status = 503

    assert (await authority.next_life(shelf).verify(token, RULES))["oid"] == "an-oid"
    assert await authority.discovery.metadata() == metadata
    assert "stored-copy-in-use" in caplog.text
    with pytest.raises(AuthorityUnavailable):
        await authority.next_life(Shelf()).verify(token, RULES)


async def test_R16_what_was_stored_is_replaced_as_soon_as_the_authority_is_back(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf()
    await authority.next_life(shelf).verify(authority.signers[0].sign(claims()), RULES)
    authority.status = 503
    verifier = authority.next_life(shelf)
    await verifier.verify(authority.signers[0].sign(claims()), RULES)

    authority.status = 200
    authority.metadata["token_endpoint"] = f"https://{HOST}/moved/token"
    authority.ticks.now += 60
    await authority.discovery.metadata()
    await settled()
    assert (await authority.discovery.metadata()).token_endpoint == f"https://{HOST}/moved/token"
    assert "authority-metadata-changed" in caplog.text
    assert b"/moved/token" in shelf.kept["authority metadata"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda kept: kept.replace(ISSUER.encode(), b"https://evil.example"),
        lambda kept: kept.replace(b"https:", b"file:"),
        lambda kept: kept[:-9],
        lambda _kept: b"",
        lambda _kept: b"{}",
    ],
    ids=["another issuer", "no web address", "cut", "empty", "nothing in it"],
)
async def test_R16_a_stored_copy_is_believed_no_more_than_a_fetched_one(
    authority: Authority, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf()
    await authority.next_life(shelf).verify(authority.signers[0].sign(claims()), RULES)
    good = shelf.kept["signing keys"]
    shelf.kept = {name: damage(document) for name, document in shelf.kept.items()}
    authority.status = 503
    authority.next_life(shelf)

    with pytest.raises(AuthorityUnavailable):
        await authority.discovery.metadata()
    assert "stored-copy-refused" in caplog.text
    if shelf.kept["signing keys"] != good:
        with pytest.raises(AuthorityUnavailable):
            await authority.keys.key("one")


async def test_R16_an_answer_that_is_refused_is_never_stored(authority: Authority) -> None:
    shelf = Shelf()
    authority.metadata["issuer"] = "https://evil.example"
    authority.next_life(shelf)
    with pytest.raises(IssuerMismatch):
        await authority.discovery.metadata()

    assert shelf.kept == {}
