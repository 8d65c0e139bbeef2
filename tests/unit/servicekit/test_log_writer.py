"""Nobody who logs waits for whoever reads (L11): real pipes that nobody reads, or nobody has any more."""

import fcntl
import json
import logging
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest

from servicekit.log_folding import Folding
from servicekit.log_writer import LogQueue
from servicekit.logs import log_event
from tests.stage.patience import PATIENCE

SMALLEST_PIPE: Final = 4_096


class Pipe:
    """A pipe of the smallest size, and what was read from it."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
        self._text = b""

    def read_until(self, part: str) -> list[str]:
        """Read until `part` was read; return the lines."""
        while part.encode() not in self._text or not self._text.endswith(b"\n"):
            assert select.select([self.reading], [], [], PATIENCE)[0], f"nothing comes behind {self._text!r}"
            read = os.read(self.reading, 65_536)
            assert read, self._text
            self._text += read
        return self._text.decode().splitlines()

    def close(self) -> None:
        for descriptor in (self.reading, self.writing):
            with suppress(OSError):
                os.close(descriptor)


@contextmanager
def logging_to(descriptor: int, **options: Any) -> Iterator[tuple[logging.Logger, LogQueue]]:
    options = {"folding": Folding(first=10_000), **options}
    queue = LogQueue(descriptor, logging.Formatter("%(levelname)s %(message)s %(event_fields)s"), **options)
    logger = logging.Logger("of the test")  # noqa: LOG001 - known to nobody else
    logger.addHandler(queue)
    try:
        yield logger, queue
    finally:
        queue.end(seconds=0)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.close()


def test_L11_nobody_waits_for_a_reader_and_what_found_no_room_is_told_when_there_is_room_again(
    pipe: Pipe,
) -> None:
    text = "x" * 250  # sixteen lines fill the pipe, and as many are in the writer's hands
    with logging_to(pipe.writing, most=80) as (logger, queue):
        for number in range(1_000):
            log_event(logger, logging.INFO, "request", number=number, text=text)
        for number in range(100):
            log_event(logger, logging.WARNING, "odd", number=number, text=text)
        for number in range(5):
            log_event(logger, logging.ERROR, "broke", number=number)
        dropped = dict(queue.dropped)

        lines = pipe.read_until("log-lines-dropped")

    assert dropped.keys() == {"info", "warning"}, "errors are dropped last"
    assert [line for line in lines if line.startswith("ERROR")] == [
        f"ERROR broke {{'number': {number}}}" for number in range(5)
    ]
    (told,) = [line for line in lines if "log-lines-dropped" in line]
    assert told == f"WARNING log-lines-dropped {dropped}"
    written = len(lines) - 1
    assert written + dropped["info"] + dropped["warning"] == 1_105, "every line was written or counted"


def test_L11_errors_are_counted_too_where_there_is_no_room_even_for_them(pipe: Pipe) -> None:
    with logging_to(pipe.writing, most=10) as (logger, queue):
        for number in range(500):
            log_event(logger, logging.ERROR, "broke", number=number)

        assert queue.dropped["error"] > 0
        pipe.read_until("log-lines-dropped")


def test_L11_a_descriptor_that_does_not_wait_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.writing, False)
    with logging_to(pipe.writing) as (logger, queue):
        for number in range(500):
            log_event(logger, logging.INFO, "request", number=number)
        lines = pipe.read_until("'number': 499")

    assert len(lines) == 500
    assert not queue.dropped


@pytest.mark.parametrize("full", ["closed pipe", "full disk"])
def test_L11_a_log_that_cannot_be_written_ends_neither_the_thread_nor_the_process(
    pipe: Pipe, full: str
) -> None:
    os.close(pipe.reading)
    descriptor = pipe.writing if full == "closed pipe" else os.open("/dev/full", os.O_WRONLY)
    with logging_to(descriptor, most=10) as (logger, queue):
        for number in range(100):
            log_event(logger, logging.INFO, "request", number=number)

        assert queue.dropped["info"] > 0
        # The disk has room again: what waited is written.
        there = Pipe()
        os.dup2(there.writing, descriptor)
        there.read_until("log-lines-dropped")
    if full == "full disk":
        os.close(descriptor)
    there.close()


def test_L11_the_end_does_not_wait_for_a_reader_for_ever_and_a_line_after_it_hurts_nobody(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as (logger, queue):
        for number in range(1_000):
            log_event(logger, logging.INFO, "request", number=number)
        began = time.monotonic()
        queue.end(seconds=0.3)
        took = time.monotonic() - began
        log_event(logger, logging.INFO, "after the end")

    assert 0.3 <= took < PATIENCE


def test_L11_a_line_after_the_end_is_written_where_there_is_room(pipe: Pipe) -> None:
    with logging_to(pipe.writing) as (logger, queue):
        queue.end()
        log_event(logger, logging.INFO, "after the end")

    assert len(pipe.read_until("after the end")) == 1


def test_L11_a_record_that_makes_no_line_is_counted_and_printed_nowhere(
    pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    with logging_to(pipe.writing) as (logger, queue):
        logger.info("%d canary", "no number", extra={"event_fields": {}})
        lines = pipe.read_until("log-lines-dropped")

    assert queue.dropped == {"unreadable": 1}
    assert lines == ["WARNING log-lines-dropped {'unreadable': 1}"]
    assert capfd.readouterr() == ("", "")


def test_L11_a_flood_of_one_warning_is_a_few_lines_and_a_count(pipe: Pipe) -> None:
    with logging_to(pipe.writing, folding=Folding(window_seconds=0)) as (logger, _):
        for _ in range(10_000):
            logger.warning("socket.accept() out of system resource", extra={"event_fields": {}})
        lines = pipe.read_until("'repeated': ")

    assert len(lines) < 200
    assert lines[0] == "WARNING socket.accept() out of system resource {}"


def test_L11_a_count_that_is_not_due_yet_is_written_at_the_end(pipe: Pipe) -> None:
    with logging_to(pipe.writing, folding=Folding()) as (logger, queue):
        for _ in range(100):
            logger.error("broke", extra={"event_fields": {}})
        queue.end(seconds=PATIENCE)

    assert pipe.read_until("'repeated': ")[-1] == "ERROR broke {'repeated': 95}"


def test_L11_threads_that_log_at_once_tear_no_line(pipe: Pipe) -> None:
    def work(name: str) -> None:
        for _ in range(50):
            log_event(logger, logging.INFO, "request", text=name * 500)

    with logging_to(pipe.writing) as (logger, _):
        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        log_event(logger, logging.INFO, "all")
        lines = pipe.read_until("all")

    assert len(lines) == 201
    assert {len(set(line.split("'")[3])) for line in lines[:-1]} == {1}


def test_L11_a_forked_child_has_a_thread_of_its_own_and_writes_nothing_twice() -> None:
    script = """if True:
        import logging, os, warnings
        from servicekit.logs import configure_logs
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of a fork beside threads
        configure_logs()
        log = logging.getLogger("gateway")
        for number in range(20):
            log.info("parent %d", number)
        if not os.fork():
            log.info("child")
            logging.getLogger().handlers[0].end()
            os._exit(0)
        os.wait()
    """
    lines = _lines_of(script)

    events = [line["event"] for line in lines]
    assert sorted(events) == sorted([*(f"parent {number}" for number in range(20)), "child"])


def test_L11_what_is_queued_when_a_program_ends_is_written_and_its_end_is_quiet() -> None:
    lines = _lines_of("""if True:
        import atexit, logging, threading, warnings
        logging.getLogger("gateway").info("before anything is configured")
        from servicekit.logs import configure_logs
        configure_logs()
        configure_logs(level="DEBUG")
        log = logging.getLogger("gateway")
        for number in range(200):
            log.debug("line %d", number)
        thread = threading.Thread(target=log.info, args=("of a thread",))
        thread.start()
        warnings.warn("a warning", stacklevel=1)
        class Late:
            def __del__(self):
                raise ValueError("canary")
        Late()
        failing = threading.Thread(target=int, args=("canary",))
        failing.start(); failing.join()
        int("canary")
    """)

    events = [line["event"] for line in lines]
    assert [event for event in events if event.startswith("line ")] == [f"line {n}" for n in range(200)]
    assert {"of a thread", "unraisable", "thread-failed", "process-failed"} <= set(events)
    assert any("a warning" in event for event in events)
    assert "canary" not in json.dumps([line for line in lines if "warning" not in line["event"]])


def _lines_of(script: str) -> list[dict[str, Any]]:
    """Run a program whose stderr is read; return its lines, each of which must be JSON."""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return [json.loads(line) for line in ended.stderr.splitlines()]


@pytest.mark.parametrize("stderr", ["unread", "closed"])
def test_L11_a_program_that_can_write_nothing_ends_nevertheless(stderr: str) -> None:
    script = """if True:
        import logging
        from servicekit.logs import configure_logs
        configure_logs()
        for number in range(20_000):
            logging.getLogger("gateway").error(f"line {number}")
        print("said all", flush=True)
        raise RuntimeError
    """
    command = [sys.executable, "-c", script]
    root = Path(__file__).parents[3]
    if stderr == "closed":
        command = ["sh", "-c", 'exec "$@" 2>&-', "sh", *command]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert select.select([process.stdout], [], [], PATIENCE)[0], "it waits for a reader"
        assert process.stdout.readline() == b"said all\n"
        assert process.wait(PATIENCE) == 1
