"""The fields of a session's hash: in which form they lie there, when they end, and that none passes for another."""

import pytest

from gateway.store.fields import Field, end_of, milliseconds, number_of, open_field, seal_field
from gateway.store.names import SessionRef
from gateway.store.sealing import KeyRing, Unsealable

KEY, NONCE, SECRET = b"k" * 32, b"n" * 12, b"the browser's half"
REF = SessionRef("AAAAAAAAAAAAAAAAAAAAAA", "00ff" * 16)
OTHER = SessionRef("AAAAAAAAAAAAAAAAAAAAAA", "ff00" * 16)
ENDS = 1_750_000_000.25
FIELD = Field(b"a value", ENDS)


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing([KEY], nonce=lambda count: NONCE[:count])


def opened(
    ring: KeyRing, stored: bytes, *, name: str = "token:edit", ref: SessionRef = REF, now: float = ENDS - 1
) -> Field | None:
    return open_field(ring, ref, name, stored, secret=SECRET, now=now)


@pytest.mark.parametrize("name, kind", [("token:edit", "token"), ("cache", "cache")])
def test_R27_a_field_is_thirteen_digits_of_its_end_and_an_envelope_that_they_are_bound_into(
    ring: KeyRing, name: str, kind: str
) -> None:
    owner = f"{REF.family}:{REF.digest} {name} 1750000000250"

    stored = seal_field(ring, REF, name, FIELD, secret=SECRET)

    assert stored == b"1750000000250" + ring.seal(b"a value", kind=kind, owner=owner, secret=SECRET)


def test_R27_an_end_of_long_ago_has_thirteen_digits_as_well(ring: KeyRing) -> None:
    stored = seal_field(ring, REF, "cache", Field(b"", 1.5), secret=SECRET)

    assert stored.startswith(b"0000000001500")
    assert opened(ring, stored, name="cache", now=1) == Field(b"", 1.5)


def test_a_field_opens_as_what_it_was_until_the_millisecond_of_its_end(ring: KeyRing) -> None:
    stored = seal_field(ring, REF, "token:edit", FIELD, secret=SECRET)

    assert opened(ring, stored, now=ENDS - 0.001) == FIELD
    assert opened(ring, stored, now=ENDS) is None
    assert opened(ring, stored, now=ENDS + 1) is None


def test_a_field_is_keyed_with_the_browsers_secret_unless_it_says_otherwise() -> None:
    assert FIELD.keyed
    assert not Field(b"", ENDS, keyed=False).keyed


@pytest.mark.parametrize("name", ["token:graph", "token", "cache", "token:edit "])
def test_S33_a_field_does_not_open_under_another_name(ring: KeyRing, name: str) -> None:
    stored = seal_field(ring, REF, "token:edit", FIELD, secret=SECRET)

    with pytest.raises(Unsealable):
        opened(ring, stored, name=name)


def test_S33_a_field_does_not_open_in_another_session_or_with_another_end(ring: KeyRing) -> None:
    stored = seal_field(ring, REF, "token:edit", FIELD, secret=SECRET)

    with pytest.raises(Unsealable):
        opened(ring, stored, ref=OTHER)
    with pytest.raises(Unsealable):
        opened(ring, b"1750000000251" + stored[13:])
    with pytest.raises(Unsealable):
        open_field(ring, REF, "token:edit", stored, secret=b"another's", now=ENDS - 1)


@pytest.mark.parametrize("stored", [b"", b"no digits at all", b"-175000000025" + b"x" * 40], ids=repr)
def test_R27_what_is_no_field_counts_as_none(ring: KeyRing, stored: bytes) -> None:
    assert opened(ring, stored) is None


def test_times_are_rounded_to_milliseconds() -> None:
    assert milliseconds(1.0004) == 1000
    assert milliseconds(1.0006) == 1001


@pytest.mark.parametrize(
    "stored, number",
    [
        (None, 0),
        (b"", 0),
        (b"0", 0),
        (b"42", 42),
        (b"1750000000250", 1_750_000_000_250),
        (b"17500000002500", 0),
        (b"-1", 0),
        (b"1.5", 0),
        (b"many", 0),
    ],
)
def test_R27_a_damaged_number_counts_as_none(stored: bytes | None, number: int) -> None:
    assert number_of(stored) == number


def test_the_end_of_a_field_is_seen_without_opening_it(ring: KeyRing) -> None:
    assert end_of(seal_field(ring, REF, "cache", FIELD, secret=SECRET)) == ENDS
    assert end_of(b"damaged") == 0


def test_of_a_field_there_may_be_any_number_unless_it_says_otherwise() -> None:
    assert (FIELD.keyed, FIELD.most) == (True, 0)
