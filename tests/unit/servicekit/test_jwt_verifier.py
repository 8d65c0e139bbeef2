"""S42: signing keys, fetched beside their use, kept through outages, and not at a stranger's command."""

import asyncio
import json
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from servicekit.discovery import FETCH_SECONDS, IssuerMismatch
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.jwt_verifier import UNKNOWN_KEY, TokenRejected
from servicekit.last_known_good import WAIT_SECONDS
from tests.unit.servicekit.authority import ISSUER, RULES, Authority, Signer, claims, settled

HOUR = 3600


async def believed(authority: Authority, signer: Signer) -> bool:
    try:
        await authority.verifier.verify(signer.sign(claims()), RULES)
    except TokenRejected as rejected:
        assert rejected.code == UNKNOWN_KEY  # noqa: PT017 - a helper, not a test
        return False
    return True


async def at_once(asking: Coroutine[Any, Any, bool]) -> bool:
    """Return what comes without waiting for anything."""
    task = asyncio.ensure_future(asking)
    await asyncio.sleep(0)
    assert task.done(), "it waits"
    return task.result()


async def test_S42_many_first_uses_fetch_once(authority: Authority) -> None:
    authority.delay = 0.05

    assert all(await asyncio.gather(*(believed(authority, authority.signers[0]) for _ in range(50))))
    assert authority.asked == {"metadata": 1, "keys": 1}


async def test_S42_ten_thousand_made_up_key_ids_cause_one_fetch(authority: Authority) -> None:
    good = authority.signers[0]
    assert await believed(authority, good)
    before = authority.asked["keys"]

    async def ask(number: int) -> None:
        with pytest.raises(TokenRejected):
            await authority.keys.key(f"made-up-{number}")

    start = time.thread_time()
    for batch in range(0, 10_000, 500):
        await asyncio.gather(*(ask(number) for number in range(batch, batch + 500)))
        assert await believed(authority, good)
    assert authority.asked["keys"] == before + 1
    assert time.thread_time() - start < 10


async def test_S42_a_flood_while_the_keys_are_unreachable_keeps_the_old_keys(authority: Authority) -> None:
    good = authority.signers[0]
    assert await believed(authority, good)
    authority.status = 500
    before = authority.asked["keys"]

    for number in range(100):
        with pytest.raises(TokenRejected):
            await authority.keys.key(f"made-up-{number}")
    assert authority.asked["keys"] == before + 1
    assert await believed(authority, good)


async def test_S42_a_flood_at_the_very_start_fetches_once(authority: Authority) -> None:
    async def ask(number: int) -> None:
        with pytest.raises(TokenRejected):
            await authority.keys.key(f"made-up-{number}")

    await asyncio.gather(*(ask(number) for number in range(200)))

    assert authority.asked["keys"] == 1


async def test_S42_a_key_that_began_to_sign_just_now_is_found_at_once(authority: Authority) -> None:
    assert await believed(authority, authority.signers[0])
    new = Signer("two")
    authority.signers.append(new)

    assert await believed(authority, new)
    assert authority.asked["keys"] == 2


async def test_S42_whoever_comes_while_the_new_key_is_fetched_waits_for_it(authority: Authority) -> None:
    assert await believed(authority, authority.signers[0])
    new = Signer("two")
    authority.signers.append(new)
    authority.delay = 0.05

    assert all(await asyncio.gather(*(believed(authority, new) for _ in range(20))))
    assert authority.asked["keys"] == 2


async def test_S42_forced_fetches_are_five_minutes_apart(authority: Authority) -> None:
    assert await believed(authority, authority.signers[0])
    assert not await believed(authority, Signer("unknown"))
    new = Signer("two")
    authority.signers.append(new)

    authority.ticks.now += 299
    assert not await believed(authority, new)
    authority.ticks.now += 1
    assert await believed(authority, new)


async def test_S42_a_retired_key_is_believed_no_longer_than_the_next_refresh(authority: Authority) -> None:
    old = authority.signers[0]
    assert await believed(authority, old)
    authority.signers[:] = [Signer("two")]

    authority.ticks.now += HOUR
    await believed(authority, old)
    await settled()
    assert not await believed(authority, old)


async def test_S42_after_an_hour_a_use_refreshes_and_does_not_wait(authority: Authority) -> None:
    assert await believed(authority, authority.signers[0])
    authority.answers.clear()
    authority.ticks.now += HOUR

    assert await at_once(believed(authority, authority.signers[0]))
    authority.answers.set()
    await settled()
    assert authority.asked["keys"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"status": 500},
        {"status": 404},
        {"status": 302, "headers": {"Location": "https://evil.example/keys"}},
        {"body": b"<html>busy</html>"},
        {"body": b""},
        {"body": b"{}"},
        {"body": b"[]"},
        {"body": b'{"keys":[]}'},
        {"body": b'{"keys":{}}'},
        {"body": b'{"keys":[{"kty":"oct","k":"AAAA","kid":"one"}]}'},
        {"body": b'{"keys":["one",null,7,{"kid":7}]}'},
        {"body": b"[" * 100_000},
        {"body": b" " * 1_000_001},
    ],
    ids=lambda broken: str(broken)[:40],
)
async def test_S42_R16_keys_outlive_every_outage(authority: Authority, broken: dict[str, object]) -> None:
    good = authority.signers[0]
    assert await believed(authority, good)
    for name, value in broken.items():
        setattr(authority, name, value)

    for _ in range(3):
        authority.ticks.now += 25 * HOUR
        assert await believed(authority, good)
        await settled()
    assert authority.asked["keys"] >= 2


async def test_S42_a_slow_key_server_is_given_three_seconds_and_day_old_keys_stay(
    authority: Authority,
) -> None:
    assert WAIT_SECONDS == 3
    authority.wait_seconds = 0.3
    authority.next_life(None)
    good = authority.signers[0]
    assert await believed(authority, good)
    authority.answers.clear()
    authority.ticks.now += 25 * HOUR

    start = time.perf_counter()
    assert await believed(authority, good)
    assert 0.3 <= time.perf_counter() - start < FETCH_SECONDS, "it waited, and not for the fetch's own end"
    assert await at_once(believed(authority, good))
    authority.answers.set()
    await settled()


async def test_S42_no_keys_at_all_is_the_authoritys_failure_not_the_tokens(authority: Authority) -> None:
    authority.status = 503
    authority.headers = {"Retry-After": "7"}

    with pytest.raises(AuthorityUnavailable) as caught:
        await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    assert caught.value.retry_after == 7


async def test_R16_a_start_without_the_authority_heals_by_itself(authority: Authority) -> None:
    authority.status = 500
    with pytest.raises(AuthorityUnavailable):
        await believed(authority, authority.signers[0])
    authority.status = 200
    authority.ticks.now += 1

    assert await believed(authority, authority.signers[0])


async def test_keys_over_plain_http_are_not_fetched(authority: Authority) -> None:
    authority.metadata["jwks_uri"] = "http://login.example.com/tenant/keys"

    with pytest.raises(Misconfigured, match=r"^the address of the signing keys is not https$"):
        await believed(authority, authority.signers[0])
    assert authority.asked["keys"] == 0


async def test_metadata_of_another_issuer_brings_no_keys(authority: Authority) -> None:
    authority.metadata["issuer"] = f"{ISSUER}/"

    with pytest.raises(IssuerMismatch):
        await believed(authority, authority.signers[0])
    assert authority.asked["keys"] == 0


async def test_only_rsa_signing_keys_of_a_decent_size_count(authority: Authority) -> None:
    one = Signer("one")
    entries: list[object] = [
        "one",
        None,
        7,
        Signer("weak", generate_private_key(65537, 1024)).jwk(),  # noqa: S505 - that is the point
        one.jwk(use="enc"),
        one.jwk(kid="enc", use="enc"),
        one.jwk(kid="ps", alg="PS256"),  # which this authority's metadata does not list
        one.jwk(kid="ec", kty="EC"),
        one.jwk(kid="small", n="AQAB"),
        one.jwk(kid="odd", n=7),
        one.jwk(kid="odder", e=None),
        one.jwk(kid=["list"]),
        one.jwk(kid="good", alg="RS256", issuer=ISSUER),
        Signer("good").jwk(),
    ]
    authority.body = None
    authority.metadata = {**authority.metadata}
    await authority.discovery.metadata()
    authority.body = json.dumps({"keys": entries}).encode()

    for kid in ("one", "weak", "enc", "ps", "ec", "small", "odd", "odder"):
        with pytest.raises(TokenRejected):
            await authority.keys.key(kid)
    assert (await authority.keys.key("good")).public == one.private.public_key()


async def test_a_caller_who_hangs_up_leaves_the_fetch_to_the_others(authority: Authority) -> None:
    authority.answers.clear()
    first = asyncio.ensure_future(authority.keys.key("one"))
    second = asyncio.ensure_future(authority.keys.key("one"))
    while not authority.asked["metadata"]:  # noqa: ASYNC110 - what is waited for happens in the server
        await asyncio.sleep(0)
    first.cancel()
    authority.answers.set()

    assert (await second).public == authority.signers[0].private.public_key()
    assert authority.asked["keys"] == 1


async def test_a_token_without_kid_fits_an_authority_with_one_key(authority: Authority) -> None:
    token = authority.signers[0].sign(claims(), kid=...)
    assert await authority.verifier.verify(token, RULES)

    authority.signers.append(Signer("two"))
    authority.ticks.now += HOUR
    await authority.keys.key("one")
    await settled()
    with pytest.raises(TokenRejected, match=UNKNOWN_KEY):
        await authority.verifier.verify(token, RULES)
