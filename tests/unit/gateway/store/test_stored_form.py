"""How records are written down: in one form, whatever text they hold, and as the release before reads it (R27)."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.stored_form import read_record, write_record


@dataclass(frozen=True, slots=True)
class Inner:
    """A part of a record."""

    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """A record of every kind of member that there is."""

    text: str
    number: float
    flag: bool
    members: dict[str, Any]
    inner: Inner
    names: tuple[str, ...] = ()
    nothing: str | None = None
    listed: list[Inner] = field(default_factory=list)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
records = st.builds(
    Record,
    text=st.text(max_size=30),
    number=st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12),
    flag=st.booleans(),
    members=st.dictionaries(st.text(max_size=8), values, max_size=3),
    inner=st.builds(Inner, st.text(max_size=10)),
    names=st.lists(st.text(max_size=5), max_size=3).map(tuple),
    nothing=st.none() | st.text(max_size=5),
    listed=st.lists(st.builds(Inner, st.text(max_size=5)), max_size=2),
)


@given(records)
def test_R27_what_is_written_says_what_json_of_the_release_before_said_and_is_read_again(
    record: Record,
) -> None:
    written = write_record(record)

    assert json.loads(written) == json.loads(json.dumps(asdict(record)))
    assert read_record(Record, written) == record


def test_R27_half_of_a_surrogate_pair_fails_nobody_and_counts_as_no_record() -> None:
    record = Inner("a \ud83d b")

    assert write_record(record) == b'{"text":"a \\ud83d b"}'
    assert read_record(Inner, write_record(record)) is None


def test_what_is_no_dataclass_is_written_as_it_is() -> None:
    assert write_record({"a": [1, None, "é"]}) == '{"a":[1,null,"é"]}'.encode()
    assert read_record(int, write_record(1)) == 1
    assert read_record(Inner, None) is None
    assert read_record(Inner, b"{}") is None
