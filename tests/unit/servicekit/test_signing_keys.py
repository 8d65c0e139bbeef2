"""Which algorithms count (W7), and keys that are replaced under their name (W5)."""

import asyncio
import json
from typing import Any

import pytest

from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.jwt_form import ALGORITHM, SIGNATURE, UNKNOWN_KEY, TokenRejected
from servicekit.jwt_verifier import JwtVerifier, SigningKeys
from tests.stage import other_keys
from tests.stage.other_keys import OtherKey
from tests.unit.servicekit.authority import RULES, Authority, Signer, claims, settled

HOUR = 3600
LISTED = "id_token_signing_alg_values_supported"


async def publish(authority: Authority, *keys: dict[str, Any]) -> None:
    """Let the authority's key set hold these."""
    authority.keys_body = json.dumps({"keys": keys}).encode()


async def why(authority: Authority, token: str) -> TokenRejected:
    """Return why a token is refused."""
    with pytest.raises(TokenRejected) as caught:
        await authority.verifier.verify(token, RULES)
    return caught.value


@pytest.mark.parametrize("algorithm", other_keys.ALGORITHMS)
async def test_W7_what_the_metadata_lists_is_accepted(authority: Authority, algorithm: str) -> None:
    key = OtherKey("other", algorithm)
    authority.metadata[LISTED] = [algorithm, "HS256", "none"]
    await publish(authority, key.jwk())

    assert await authority.verifier.verify(key.token(claims()), RULES) == claims()


@pytest.mark.parametrize("algorithm", sorted({*other_keys.ALGORITHMS} - {"RS256"}))
@pytest.mark.parametrize("listed", [["RS256"], ["RS256", "HS256", "none"], [], None, "ES256", [["ES256"], 7]])
async def test_S39_what_the_metadata_does_not_list_is_refused(
    authority: Authority, algorithm: str, listed: object
) -> None:
    key = OtherKey("other", algorithm)
    authority.metadata[LISTED] = listed
    await publish(authority, key.jwk(), authority.signers[0].jwk())

    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    assert (await why(authority, key.token(claims()))).code == ALGORITHM


async def test_S39_rs256_is_refused_where_the_metadata_lists_others_only(authority: Authority) -> None:
    key = OtherKey("other", "ES256")
    authority.metadata[LISTED] = ["ES256"]
    await publish(authority, key.jwk(), authority.signers[0].jwk())

    assert await authority.verifier.verify(key.token(claims()), RULES)
    assert (await why(authority, authority.signers[0].sign(claims()))).code == ALGORITHM


async def test_W7_at_entra_rs256_counts_whatever_is_listed(authority: Authority) -> None:
    authority.metadata[LISTED] = ["ES256"]
    always = frozenset({"RS256"})
    keys = SigningKeys(authority.outbound, authority.discovery, now=authority.ticks, always=always)

    token = authority.signers[0].sign(claims())
    assert await JwtVerifier(keys, now=authority.wall).verify(token, RULES)


async def test_W7_in_a_mixed_set_each_token_is_verified_by_the_key_of_its_family(
    authority: Authority,
) -> None:
    signers = [OtherKey("same-name", algorithm) for algorithm in ("RS256", "ES256", "EdDSA")]
    authority.metadata[LISTED] = ["RS256", "ES256", "EdDSA"]
    await publish(authority, {"kty": "NEW", "kid": "new"}, *(signer.jwk() for signer in signers))

    for signer in signers:
        assert await authority.verifier.verify(signer.token(claims()), RULES)
        assert await authority.verifier.verify(signer.token(claims(), kid=None), RULES), (
            "the only one that fits"
        )


async def test_S39_a_token_that_names_no_key_is_not_tried_on_several_of_a_family(
    authority: Authority,
) -> None:
    signers = [OtherKey("one", "ES256"), OtherKey("two", "ES256", 1)]
    authority.metadata[LISTED] = ["ES256"]
    await publish(authority, *(signer.jwk() for signer in signers))

    assert (await why(authority, signers[0].token(claims(), kid=None))).code == UNKNOWN_KEY


@pytest.mark.parametrize(
    "listed, keys, told",
    [
        (None, [OtherKey("k", "ES256").jwk()], "the key set holds EC, P-256, and no key that verifies RS256"),
        (["RS256"], [OtherKey("k", "EdDSA").jwk()], "holds Ed25519, OKP, and no key that verifies RS256"),
        (["ES256"], [OtherKey("k", "RS256").jwk()], "holds RSA, and no key that verifies ES256"),
        (["ES256"], [OtherKey("k", "ES384").jwk()], "holds EC, P-384, and no key that verifies ES256"),
        (["RS256"], [OtherKey("k", "RS256").jwk(use="enc")], "holds RSA, and no key"),
        (["RS256"], [{"kty": "oct", "k": "AAAA"}], "holds oct, and no key that verifies RS256"),
        (["ES384", "ES256"], [OtherKey("k", "RS256").jwk()], "and no key that verifies ES256, ES384"),
        (["HS256"], [], "the authority signs by HS256, and we accept none of it"),
        (["HS 256"], [], "the authority signs by nothing, and we accept none of it"),
        (["none", "HS512", "x\ny"], [OtherKey("k", "RS256").jwk()], "signs by HS512, none, and we accept"),
    ],
)
async def test_W7_keys_that_will_never_do_are_a_misconfiguration_and_the_log_says_why(
    authority: Authority, listed: object, keys: list[dict[str, Any]], told: str
) -> None:
    authority.metadata[LISTED] = listed
    await publish(authority, *keys)

    with pytest.raises(Misconfigured) as caught:
        await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    assert told in caught.value.log_detail


async def test_W7_whoever_had_an_odd_token_straight_from_the_authority_learns_whether_any_would_do(
    authority: Authority,
) -> None:
    keys = authority.keys
    assert await keys.check(), "fetched for this question"
    assert await keys.check(), "and anew, as it may be in doubt once in five minutes"
    assert not await keys.check()
    assert authority.asked["keys"] == 2
    authority.ticks.now += 300
    authority.status = 500
    assert not await keys.check(), "nobody knows, and what is remembered serves"
    authority.status = 200
    authority.ticks.now += 300
    await publish(authority, OtherKey("k", "ES256").jwk())

    for _ in range(2):
        with pytest.raises(Misconfigured, match="no key that verifies RS256"):
            await keys.check()
    with pytest.raises(Misconfigured, match="no key that verifies RS256"):
        await authority.verifier.verify(OtherKey("k", "ES256").token(claims()), RULES)
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES), (
        "while it is remembered"
    )


async def test_W7_without_any_keys_nobody_knows_whether_one_would_do(authority: Authority) -> None:
    authority.status = 503

    with pytest.raises(AuthorityUnavailable):
        await authority.keys.check()


async def test_W7_an_empty_set_is_the_authoritys_slip_and_passes(authority: Authority) -> None:
    await publish(authority)

    with pytest.raises(AuthorityUnavailable):
        await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)


async def test_W7_an_authority_that_changes_its_family_needs_no_restart(authority: Authority) -> None:
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    key = OtherKey("two", "ES256")
    authority.metadata[LISTED] = ["RS256", "ES256"]
    await publish(authority, key.jwk())

    assert await authority.verifier.verify(key.token(claims()), RULES)
    assert authority.asked == {"metadata": 2, "keys": 2}


@pytest.mark.parametrize("family", ["RS256", "ES256"])
async def test_W5_a_key_replaced_under_its_name_is_found_at_once(authority: Authority, family: str) -> None:
    authority.metadata[LISTED] = ["RS256", "ES256"]
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    key = OtherKey("one", family)
    await publish(authority, key.jwk())

    assert await authority.verifier.verify(key.token(claims()), RULES)
    assert authority.asked["keys"] == 2
    assert (await why(authority, authority.signers[0].sign(claims()))).code in {SIGNATURE, UNKNOWN_KEY}


async def test_W5_whoever_comes_while_the_replaced_key_is_fetched_waits_for_it(authority: Authority) -> None:
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    key = OtherKey("one", "RS256")
    await publish(authority, key.jwk())
    authority.delay = 0.05

    token = key.token(claims())
    await asyncio.gather(*(authority.verifier.verify(token, RULES) for _ in range(20)))
    assert authority.asked["keys"] == 2


async def test_W5_a_flood_of_forged_signatures_costs_one_fetch_in_five_minutes(authority: Authority) -> None:
    good, forged = authority.signers[0].sign(claims()), OtherKey("one", "RS256", 7).token(claims())
    made_up = OtherKey("made-up", "RS256", 7).token(claims())
    assert await authority.verifier.verify(good, RULES)
    before = authority.asked["keys"]

    for minutes in (0, 5):
        authority.ticks.now += 60 * minutes
        for number in range(100):
            assert (await why(authority, (forged, made_up)[number % 2])).code in {SIGNATURE, UNKNOWN_KEY}
        assert await authority.verifier.verify(good, RULES)
        assert authority.asked["keys"] == before + 1 + (minutes > 0)


async def test_W5_a_rejection_says_whether_newer_keys_could_still_prove_the_token(
    authority: Authority,
) -> None:
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    forged = OtherKey("one", "RS256", 7).token(claims())

    assert not (await why(authority, forged)).keys_may_be_old, "they were fetched for this very token"
    assert (await why(authority, forged)).keys_may_be_old, "nobody may ask again so soon"
    authority.ticks.now += 300
    assert not (await why(authority, forged)).keys_may_be_old
    authority.ticks.now += 300
    authority.status = 500
    assert (await why(authority, forged)).keys_may_be_old, "the authority was asked, and did not say"


async def test_W5_claims_that_are_off_are_no_reason_to_fetch_keys(authority: Authority) -> None:
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)

    rejected = await why(authority, authority.signers[0].sign(claims(aud="another")))

    assert not rejected.keys_may_be_old
    assert authority.asked["keys"] == 1


async def test_W5_a_new_key_is_found_by_the_first_who_comes_after_a_quiet_night(authority: Authority) -> None:
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    new = Signer("two")
    authority.signers.append(new)
    authority.ticks.now += 8 * HOUR

    assert await authority.verifier.verify(new.sign(claims()), RULES), (
        "the fetch beside its use is waited for"
    )
    await settled()
    assert authority.asked["keys"] == 2


async def test_W5_keys_of_an_earlier_life_give_way_to_the_one_that_replaced_them(
    authority: Authority,
) -> None:
    class Memory:
        """Keeps documents, as the store that both lives share does."""

        def __init__(self) -> None:
            self.documents: dict[str, bytes] = {}

        async def load(self, name: str) -> bytes | None:
            return self.documents.get(name)

        async def save(self, name: str, document: bytes) -> None:
            self.documents[name] = document

    memory = Memory()
    authority.next_life(memory)
    assert await authority.verifier.verify(authority.signers[0].sign(claims()), RULES)
    key = OtherKey("one", "RS256")
    await publish(authority, key.jwk())
    authority.next_life(memory)
    authority.status = 500
    assert (await why(authority, key.token(claims()))).keys_may_be_old
    authority.status = 200

    assert await authority.verifier.verify(key.token(claims()), RULES)
