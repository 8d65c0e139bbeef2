"""What the launcher says: calm, aligned lines on one stream, and the parts' log lines behind their names.

Owns wording only in so far as layout goes; decides which log lines a person sees by default (warnings and worse).
Never writes to a log file.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

_NAME_WIDTH = 9
_LOUD = re.compile(r"\b(WARN(ING)?|ERROR|CRITICAL|FATAL)\b|^Traceback |^\S*(Error|Exception)\b")
_LOUD_LEVELS = frozenset({"WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"})
_PLUMBING = frozenset(
    {"message", "level", "levelname", "timestamp", "asctime", "time", "logger", "name", "event"}
)


@dataclass(slots=True)
class Console:
    """Prints for a person; progress is redrawn in place on a terminal and printed line by line elsewhere."""

    stream: TextIO
    verbose: bool = False
    _progress_width: int = field(default=0, init=False)

    @property
    def interactive(self) -> bool:
        """Whether a person's terminal is at the other end."""
        return self.stream.isatty()

    def say(self, line: str = "") -> None:
        """Print one line."""
        self.end_progress()
        print(line, file=self.stream, flush=True)

    def part(self, name: str, line: str) -> None:
        """Print one line that is about, or from, a part."""
        self.say(f"{name:<{_NAME_WIDTH}} {line}")

    def progress(self, line: str) -> None:
        """Print a line that the next one replaces, where the stream is a terminal."""
        if not self.interactive:
            self.say(line)
            return
        print(f"\r{line:<{self._progress_width}}", end="", file=self.stream, flush=True)
        self._progress_width = len(line)

    def relay(self, name: str, lines: list[str]) -> None:
        """Print a part's new log lines: all of them when verbose, else those that ask for attention."""
        follows = False
        for line in lines:
            shown, follows = _readable(line, follows=follows)
            if shown is None and self.verbose:
                shown = line
            if shown is not None:
                self.part(name, shown)

    def end_progress(self) -> None:
        """Leave the progress line as it is, and go on below it."""
        if self._progress_width:
            print(file=self.stream, flush=True)
            self._progress_width = 0


class LogFollower:
    """Hands out the complete lines that a log file has gained since the last look, or since its beginning."""

    def __init__(self, path: Path, *, from_start: bool = False) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() and not from_start else 0

    def new_lines(self) -> list[str]:
        """Return the lines since the last call; a line without its end waits for the next one."""
        try:
            with self._path.open("rb") as log:
                log.seek(self._offset)
                text = log.read()
        except FileNotFoundError:
            return []
        complete = text[: text.rfind(b"\n") + 1]
        self._offset += len(complete)
        return complete.decode(errors="replace").splitlines()


def _readable(line: str, *, follows: bool) -> tuple[str | None, bool]:
    """Put a loud line in words, give None for a quiet one; and say whether indented lines after it belong to it."""
    if line.startswith("{"):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if isinstance(entry, dict):
            return _entry(entry), False
    if _LOUD.search(line):
        return line, True
    if follows and line.startswith((" ", "\t")):
        return line, True
    return None, False


def _entry(entry: dict[str, object]) -> str | None:
    level = str(entry.get("levelname") or entry.get("level") or "").upper()
    if level not in _LOUD_LEVELS:
        return None
    message = str(entry.get("message") or entry.get("event") or "")
    extras = ", ".join(
        f"{key}={value}" for key, value in entry.items() if key not in _PLUMBING and value not in (None, "")
    )
    return f"{level}  {message}" + (f"  ({extras})" if extras else "")
