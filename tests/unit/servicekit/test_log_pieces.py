"""In which pieces ready lines are written, and which find no room (L11)."""

import logging
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

from servicekit.log_writer import _Writer
from tests.unit.servicekit.test_log_writer import Pipe, logging_to


def test_L11_lines_that_come_together_go_into_a_file_in_one_piece_and_into_a_pipe_in_what_it_takes_at_once(
    tmp_path: Path,
) -> None:
    lines = [f"{number:04} {'x' * 95}\n".encode() for number in range(200)]

    def pieces(descriptor: int) -> list[bytes]:
        queue: SimpleQueue[bytes | None] = SimpleQueue()
        writer, taken = _Writer(queue, descriptor, list), []
        for line in (*lines, None):
            queue.put(line)
        while piece := writer.dequeue(block=True):
            taken.append(piece)
        return taken

    with (tmp_path / "log").open("wb") as file:
        assert pieces(file.fileno()) == [b"".join(lines)]
    with closing(Pipe()) as pipe:
        by_pipe = pieces(pipe.writing)
    assert b"".join(by_pipe) == b"".join(lines)
    assert {len(piece) for piece in by_pipe} == {40 * 101}, "no line is cut, and none is left alone"


def test_L11_lines_that_are_ready_are_dropped_by_their_share_and_counted_as_others_are() -> None:
    with closing(Pipe()) as pipe, logging_to(pipe.writing, most=80) as (_, queue):
        for number in range(1_000):
            queue.write(f"{number} {'x' * 250}\n".encode(), logging.INFO)
        for number in range(100):
            queue.write(f"odd {number} {'x' * 250}\n".encode(), logging.WARNING)
        dropped = dict(queue.dropped)
        lines = pipe.read_until("log-lines-dropped")

    assert dropped["info"] > 850
    assert 80 <= dropped["warning"] < 100
    assert len(lines) == 1_100 - sum(dropped.values()) + 1
