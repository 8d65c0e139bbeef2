"""What a changed trail gives away (A6, U37): every byte, and every line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicekit.audit.chain import TrailKeys
from tests.stage.trails import KEYS, SIGN_IN, judged, trail_to, written

Lines = list[bytes]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """Give the lines of a process that began, recorded five facts, and ended."""
    return written(tmp_path_factory.mktemp("trail") / "audit.log", facts=5)


def test_A6_U37_a_trail_that_nobody_touched_is_as_it_was_written(lines: Lines) -> None:
    judgement = judged(lines)

    assert (judgement.faults, judgement.notices, judgement.unjudged) == ([], [], [])
    assert (judgement.lines, judgement.chains) == (7, 1)


@settings(max_examples=400)
@given(data=st.data())
def test_A6_any_byte_that_is_changed_is_found(lines: Lines, data: st.DataObject) -> None:
    text = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    text[at] = other

    assert judged([bytes(text)]).faults


@pytest.mark.parametrize("other", [b"X", b"\n", b'"', b" "])
def test_A6_each_byte_of_the_last_line_is_found_although_none_comes_after_it(
    lines: Lines, other: bytes
) -> None:
    *before, last = lines
    for at in range(len(last)):
        if last[at : at + 1] != other:
            assert judged([*before, last[:at] + other + last[at + 1 :]]).faults, at


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda lines, at: lines[:at] + lines[at + 1 :], id="removed"),
        pytest.param(lambda lines, at: [*lines[: at + 1], lines[at], *lines[at + 1 :]], id="doubled at once"),
        pytest.param(lambda lines, at: [*lines, lines[at]], id="doubled at the end"),
        pytest.param(
            lambda lines, at: [*lines[:at], *reversed(lines[at : at + 2]), *lines[at + 2 :]], id="swapped"
        ),
        pytest.param(lambda lines, at: [*lines[:at], *lines[at + 1 :], lines[at]], id="moved to the end"),
        pytest.param(
            lambda lines, at: [*lines[:at], b'{"stream":"audit","at":"now"}\n', *lines[at:]], id="put in"
        ),
        pytest.param(
            lambda lines, at: [*lines[:at], lines[at][:50] + b"\n", *lines[at + 1 :]], id="cut short"
        ),
    ],
)
def test_A6_a_line_that_is_removed_or_moved_is_found(
    lines: Lines, change: Callable[[Lines, int], Lines]
) -> None:
    for at in range(len(lines) - 1):
        assert judged(change(lines, at)).faults, at


def test_A6_what_is_cut_off_at_the_end_cannot_be_proven_and_is_told(lines: Lines) -> None:
    judgement = judged(lines[:-2])

    assert judgement.faults == []
    (notice,) = judgement.notices
    assert "is open after number 5" in notice


def test_A6_nobody_without_the_key_writes_the_chain_anew(lines: Lines, tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.log", keys=TrailKeys())
    foreign = written(tmp_path / "foreign.log", keys=TrailKeys([b"f" * 32]))

    assert "is not signed" in judged(plain).faults[0]
    assert (judged(foreign).faults, len(judged(foreign).unjudged)) == ([], 1)
    assert judged(plain, keys=TrailKeys()).faults == [], "without any key the order is all that is proven"
    assert judged(lines, keys=TrailKeys([b"n" * 32, b"k" * 32])).faults == [], "one that has signed before"


def test_A6_a_process_that_comes_after_goes_on_from_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    first = written(path, facts=2)
    both = written(path, facts=2)

    assert judged(both).faults == []
    assert judged(both).chains == 2
    # The whole of the first process: what the second goes on from is gone.
    assert "goes on from is missing" in judged(both[len(first) :]).faults[0]
    # Its last lines: the same.
    assert judged([*both[: len(first) - 1], *both[len(first) :]]).faults


def test_A6_rotated_files_are_one_trail_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trail = trail_to(path)
    trail.record(SIGN_IN, {"person": "ada"})
    while b'"ada"' not in path.read_bytes():  # with its quotes: the digits of a hash may say it too
        pass
    path.rename(tmp_path / "audit.log.1")
    trail.record(SIGN_IN, {"person": "grace"})
    trail.end()
    older = (tmp_path / "audit.log.1").read_bytes().splitlines(keepends=True)
    newer = path.read_bytes().splitlines(keepends=True)

    assert b'"grace"' in newer[0]
    assert judged(older, newer).faults == []
    assert "what came before is missing" in judged(newer).faults[0]
    assert judged(newer, lacks_beginning=True).faults == []
    assert judged(newer, older).faults


def test_A6_a_line_that_a_killed_process_never_finished_is_no_alarm(tmp_path: Path, lines: Lines) -> None:
    path = tmp_path / "audit.log"
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:70])

    torn = judged(path.read_bytes().splitlines(keepends=True))
    assert torn.faults == []
    assert "70 bytes of a line that was never finished" in torn.notices[0]

    after = judged(written(path))
    assert after.faults == []
    assert after.chains == 2
    assert b'"torn":70,' in path.read_bytes(), "the next process says what it found"


def test_A6_a_last_line_that_somebody_made_unfinished_is_found(lines: Lines) -> None:
    assert judged([*lines[:-1], lines[-1][:70] + b"\n"]).faults


def test_A6_another_process_line_directly_behind_an_unfinished_one_is_read(
    lines: Lines, tmp_path: Path
) -> None:
    other = written(tmp_path / "other.log")

    judgement = judged([*lines[:-1], lines[-1][:70] + other[0], *other[1:]])

    assert judgement.faults == []
    assert (judgement.lines, judgement.chains) == (11, 2)


def test_A6_lines_of_two_processes_in_one_file_are_two_chains(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    trails = [trail_to(path), trail_to(path)]
    for number in range(200):
        trails[number % 2].record(SIGN_IN, {"reference": f"{number}"})
    for trail in trails:
        trail.end()

    judgement = judged(path.read_bytes().splitlines(keepends=True))

    assert (judgement.faults, judgement.lines, judgement.chains) == ([], 204, 2)


def test_A6_what_a_container_says_beside_is_passed_over_where_that_is_asked_for(lines: Lines) -> None:
    mixed = [b"starting\n", lines[0], b'{"event": "request"}\n', *lines[1:]]

    assert judged(mixed, is_mixed=True).faults == []
    assert len(judged(mixed).faults) == 2
    assert judged([*mixed[:3], *mixed[4:]], is_mixed=True).faults


def test_A6_no_sentence_quotes_what_a_line_says(lines: Lines) -> None:
    changed = [line.replace(b'"ada"', b'"evelyn"') for line in lines]

    assert "evelyn" not in str(judged(changed).faults)
    assert len(judged(changed).faults) == 5


def test_A6_a_gap_of_a_thousand_million_lines_is_told_in_a_moment() -> None:
    first, second = written_far_apart()

    assert judged([first, second], keys=TrailKeys()).faults


def written_far_apart() -> tuple[bytes, bytes]:
    """Return two lines of one chain, as somebody who knows that there is no key could make them."""
    bodies = [
        b'{"stream":"audit","fact":"start","chain":"c","sequence":%d,"previous":"%s"' % (number, b"0" * 64)
        for number in (1, 10**12)
    ]
    first, second = (
        body + b',"hash":"' + TrailKeys().hash_of(body, "").encode() + b'"}\n' for body in bodies
    )
    return first, second


def test_A6_the_keys_name_themselves_and_give_nothing_away() -> None:
    assert KEYS.signing == TrailKeys([b"k" * 32]).signing
    assert len(KEYS.signing) == 8
    assert TrailKeys([b"K" * 32]).signing != KEYS.signing


def test_A6_wherever_a_line_was_cut_short_it_is_no_alarm_and_the_next_process_goes_on(
    tmp_path: Path, lines: Lines
) -> None:
    path = tmp_path / "audit.log"
    for bytes_of_it in range(1, len(lines[-1]) + 1):
        path.write_bytes(b"".join(lines[:-1]) + lines[-1][:bytes_of_it])

        torn, after = judged(path.read_bytes().splitlines(keepends=True)), judged(written(path, facts=0))

        assert (bytes_of_it, torn.faults, torn.chains) == (bytes_of_it, [], 1)
        assert (bytes_of_it, after.faults, after.chains) == (bytes_of_it, [], 2)


def test_A6_a_line_that_ends_in_more_than_a_hash_is_not_one_that_was_cut_short(lines: Lines) -> None:
    last = lines[-1].removesuffix(b"}\n")

    assert judged([*lines[:-1], last]).faults == []
    assert judged([*lines[:-1], last + b"x"]).faults
    assert judged([*lines[:-1], last[:-5] + b"XXXX"]).faults
