"""How large the house is: files and lines of each room, which is a folder with files of its own.

Counts what people write: Python, and beside it JavaScript, styles, pages and data. Never what tools write or fetch.

    python -m benchmarks.house [FOLDER]
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).resolve().parent.parent
PYTHON: Final = ".py"
BESIDE: Final = frozenset({".js", ".mjs", ".css", ".html", ".json", ".toml"})
NOT_OURS: Final = frozenset({"__pycache__", "node_modules"})
NOT_WRITTEN: Final = frozenset({"package-lock.json"})


@dataclass
class Room:
    """The files and lines of one folder, without those of the folders in it."""

    files: int = 0
    lines: int = 0
    longest: int = 0
    files_beside: int = 0
    lines_beside: int = 0

    def __iadd__(self, other: "Room") -> Self:
        self.files += other.files
        self.lines += other.lines
        self.longest = max(self.longest, other.longest)
        self.files_beside += other.files_beside
        self.lines_beside += other.lines_beside
        return self

    def add(self, file: Path) -> None:
        """Count one file."""
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if file.suffix == PYTHON:
            self += Room(1, lines, lines)
        else:
            self += Room(files_beside=1, lines_beside=lines)


def measured(root: Path) -> dict[str, Room]:
    """Return the rooms below `root` by their paths, hidden folders left out."""
    rooms: dict[str, Room] = defaultdict(Room)
    for file in sorted(root.rglob("*")):
        path = file.relative_to(root)
        is_hidden = any(part.startswith(".") or part in NOT_OURS for part in path.parts)
        if (
            is_hidden
            or file.name in NOT_WRITTEN
            or file.suffix not in {PYTHON, *BESIDE}
            or not file.is_file()
        ):
            continue
        rooms[path.parent.as_posix()].add(file)
    return dict(rooms)


def drawn(rooms: dict[str, Room]) -> str:
    """Return a table: the rooms under their floors, each floor with its sum, and the whole house."""
    floors: dict[str, Room] = defaultdict(Room)
    house = Room()
    for name, room in rooms.items():
        floors[name.partition("/")[0]] += room
        house += room
    lines = [_row("room", "files", "lines", "longest", "other files", "lines")]
    for floor, total in floors.items():
        lines.append(_figures(floor, total))
        inside = {name: room for name, room in rooms.items() if name.partition("/")[0] == floor}
        if len(inside) > 1:
            lines += [_figures(f"  {name}", room) for name, room in sorted(inside.items())]
    return "\n".join([*lines, _figures("all", house)])


def _figures(name: str, room: Room) -> str:
    return _row(
        name,
        *map(str, (room.files, room.lines, room.longest, room.files_beside, room.lines_beside)),
    )


def _row(name: str, *figures: str) -> str:
    return f"{name:36}" + "".join(f"{figure:>13}" for figure in figures)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT, help="another working copy")
    print(drawn(measured(parser.parse_args().folder)))


if __name__ == "__main__":
    main()
