"""What a target is given: its words in any order, and inputs of its corpus with some pieces changed."""

from collections.abc import Sequence
from enum import Enum

from hypothesis import strategies as st

MOST_WORDS = 24
MOST_CHANGES = 6
_MOST_BYTES = 20_000


class Change(Enum):
    """One way to change an input at a place."""

    INSERT = "insert"
    REPLACE = "replace"
    DELETE = "delete"
    REPEAT = "repeat"
    CUT = "cut"
    SWAP = "swap"


def inputs(words: Sequence[bytes], seeds: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return what makes inputs of a format that consists of `words`, and near to `seeds`."""
    letters = st.text(max_size=3).map(lambda text: text.encode(errors="surrogatepass"))
    pieces = st.one_of(st.sampled_from(words), st.binary(max_size=3), letters)
    assembled = st.lists(pieces, max_size=MOST_WORDS).map(b"".join)
    if not seeds:
        return assembled
    change = st.tuples(st.sampled_from(Change), st.integers(0, 1 << 16), pieces, st.integers(1, 64))
    changes = st.lists(change, max_size=MOST_CHANGES)
    return st.one_of(assembled, st.builds(changed, st.sampled_from(seeds), changes))


def changed(seed: bytes, changes: Sequence[tuple[Change, int, bytes, int]]) -> bytes:
    """Make changes one after the other, each at a place, with a piece and a length; places go round."""
    data = seed
    for change, place, piece, length in changes:
        at = place % (len(data) + 1)
        before, here, behind = data[:at], data[at : at + length], data[at + length :]
        match change:
            case Change.INSERT:
                data = before + piece + here + behind
            case Change.REPLACE:
                data = before + piece + behind
            case Change.DELETE:
                data = before + behind
            case Change.REPEAT:
                data = before + here * (2 + place % 7) + behind
            case Change.CUT:
                data = before
            case Change.SWAP:
                data = before + behind + here
    return data[:_MOST_BYTES]
