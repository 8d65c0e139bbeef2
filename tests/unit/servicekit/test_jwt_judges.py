"""S39: what three libraries of other people say of a token, beside what we say of it.

PyJWT, joserfc (Authlib's) and cryptojwt (idpyoidc's) judge the same mutated tokens. Whatever is believed here, each of
them believes and reads alike; what all of them believe and we do not, we refuse by a rule of our own.
"""

import json
import warnings
from collections.abc import Callable
from typing import Any, Final

import jwt
from cryptojwt.jwk.jwk import key_from_jwk_dict
from cryptojwt.jws.jws import JWS
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import JWKRegistry

from servicekit.jwt_form import ALGORITHM, HEADER, MALFORMED, TokenRejected, read_payload, read_token
from servicekit.jwt_signatures import ALGORITHMS, is_proven, read_key
from tests.stage.other_keys import OtherKey

Judge = Callable[[str, OtherKey], Any]

SIGNERS: Final = {name: OtherKey("k", name) for name in ("RS256", "PS256", "ES256", "EdDSA")}
STRANGERS: Final = {name: OtherKey("k", name, 1) for name in SIGNERS}
TYPES: Final = frozenset({"jwt", "at+jwt"})
SIGNATURE: Final = "signature"


def ours(token: str, signer: OtherKey) -> tuple[Any, str]:
    """Return the claims that are believed, else None with the code of the refusal."""
    key = read_key(signer.jwk())
    assert key
    try:
        form = read_token(token, TYPES, ALGORITHMS)
        return (read_payload(form.payload), "") if is_proven(form, key) else (None, SIGNATURE)
    except TokenRejected as rejected:
        return None, rejected.code


def by_pyjwt(token: str, signer: OtherKey) -> Any:
    return json.loads(jwt.PyJWS().decode(token, jwt.PyJWK(signer.jwk()).key, [signer.algorithm]))


def by_joserfc(token: str, signer: OtherKey) -> Any:
    key = JWKRegistry.import_key(signer.jwk())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RFC 9864 would have other names; this is no call of the product's
        return json.loads(jws.deserialize_compact(token, key, algorithms=[signer.algorithm]).payload)


def by_cryptojwt(token: str, signer: OtherKey) -> Any:
    return JWS(alg=signer.algorithm).verify_compact(token, [key_from_jwk_dict(signer.jwk())])


JUDGES: Final[tuple[Judge, ...]] = (by_pyjwt, by_joserfc, by_cryptojwt)


def verdict(judge: Judge, token: str, signer: OtherKey) -> Any:
    """Return what a judge reads, None where it refuses by whatever exception."""
    try:
        return judge(token, signer)
    except Exception:  # noqa: BLE001 - each library has a tree of its own, and some raise what Python raises
        return None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2_000_000_000) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
claims = st.dictionaries(st.sampled_from(["sub", "aud", "exp", "iat", "scp", "x"]), json_values, max_size=4)
headers = st.fixed_dictionaries(
    {},
    optional={
        "typ": st.sampled_from(["JWT", "jwt", "at+jwt", "application/at+jwt", "logout+jwt", ""]),
        "kid": st.sampled_from(["k", ""]) | st.integers(0, 3),
        "alg": st.sampled_from(["RS256", "PS256", "ES256", "EdDSA", "HS256", "none", "rs256"]),
        "crit": st.sampled_from([[], ["exp"], ["b64"]]),
        "b64": st.booleans(),
        "zip": st.just("DEF"),
        "jku": st.just("https://evil.example/"),
    },
)


@st.composite
def mutations(draw: st.DrawFn) -> Callable[[str], str]:
    """Return one change to a token's text."""
    at = draw(st.integers(0, 400))
    sign: str = draw(st.sampled_from([*"AQgwx-_.=+/ \n\0é"]))
    kind = draw(st.sampled_from(["none", "insert", "replace", "drop", "swap", "append", "double", "pad"]))

    def change(token: str) -> str:
        place = at % len(token)
        head, payload, signature = token.split(".")
        changed: dict[str, str] = {
            "none": token,
            "insert": token[:place] + sign + token[place:],
            "replace": token[:place] + sign + token[place + 1 :],
            "drop": token[:place] + token[place + 1 :],
            "swap": f"{payload}.{head}.{signature}",
            "append": token + sign,
            "double": f"{token}.{signature}",
            "pad": f"{head}.{payload}.{signature}" + "=" * (-len(signature) % 4),
        }
        return changed[kind]

    return change


@settings(max_examples=200)
@given(st.sampled_from([*SIGNERS]), st.booleans(), claims, headers, st.lists(mutations(), max_size=2))
def test_S39_whatever_is_believed_three_other_libraries_believe_and_read_alike(
    algorithm: str,
    by_a_stranger: bool,  # noqa: FBT001 - a drawn value
    body: dict[str, Any],
    header: dict[str, Any],
    changes: list[Callable[[str], str]],
) -> None:
    signer = (STRANGERS if by_a_stranger else SIGNERS)[algorithm]
    token = signer.token(body, **header)
    for change in changes:
        if token.count(".") == 2:
            token = change(token)

    believed, refusal = ours(token, SIGNERS[algorithm])
    verdicts = [verdict(judge, token, SIGNERS[algorithm]) for judge in JUDGES]

    if believed is not None:
        assert verdicts == [believed] * len(JUDGES)
    elif all(each is not None for each in verdicts):
        assert refusal in {HEADER, MALFORMED, ALGORITHM}, "never of a signature that all others take"


def test_S39_the_judges_take_a_good_token_and_refuse_a_stranger_s() -> None:
    for algorithm, signer in SIGNERS.items():
        good, forged = (each.token({"sub": "ada"}) for each in (signer, STRANGERS[algorithm]))

        assert [verdict(judge, good, signer) for judge in JUDGES] == [{"sub": "ada"}] * 3
        assert [verdict(judge, forged, signer) for judge in JUDGES] == [None] * 3
        assert ours(good, signer) == ({"sub": "ada"}, "")
        assert ours(forged, signer) == (None, SIGNATURE)


def test_S39_a_second_spelling_of_a_signature_is_refused_where_a_library_takes_it() -> None:
    """Whoever remembers tokens by their text would take two spellings for two tokens."""
    signer = SIGNERS["RS256"]
    head, payload, signature = signer.token({"sub": "ada"}).split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = signature[:-1] + letters[letters.index(signature[-1]) ^ 1]

    for spelling in (f"{signature}==", twin, f"{signature[:9]}\n{signature[9:]}"):
        assert ours(f"{head}.{payload}.{spelling}", signer) == (None, MALFORMED)
