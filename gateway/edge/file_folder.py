"""A folder of files that the web may see: which file an address names, as the folder is now.

Owns the way from a path as it was sent to a regular file inside the folder, and what makes a folder one that can be
served at all. Looked up anew each time, so that a deployment or a developer may change it while it is served, also by
turning the link that the folder is.
Never serves what lies outside, wherever links lead, nor what begins with a dot, but for `/.well-known/` (RFC 8615).
All of it asks the file system and so is for threads.
"""

import os
import re
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from gateway.edge.held_file import LARGEST_HELD

INDEX: Final = "index.html"
MOST_FILES: Final = 50_000
# What the gateway answers by itself.
RESERVED: Final = ("api", "auth", "health", "metrics")
WELL_KNOWN: Final = ".well-known"
# An encoded slash, or the end of a name: they are part of no file's name that anybody means.
_HIDDEN: Final = re.compile(r"%(?:2f|5c|00)", re.IGNORECASE)
_FORMS: Final = ("NFC", "NFD")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of the folder, as it was a moment ago: `state` is another one once the content is."""

    path: str
    size: int
    state: tuple[int, int, int]

    @property
    def tag(self) -> str:
        """The entity tag that aiohttp gives such a file."""
        changed, size, _ = self.state
        return f'"{changed:x}-{size:x}"'


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder with a page of its own, asked for without the slash at its end: `address` is where the page is."""

    address: str


def parts_of(raw: str) -> list[str] | None:
    """Return the names that a path holds, as it was sent; None where no file and no page of anybody has such a path.

    A path that ends with a slash has an empty name at its end.
    """
    if not raw.startswith("/") or _HIDDEN.search(raw):
        return None
    try:
        path = unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None
    *folders, name = path[1:].split("/")
    if any(not part for part in folders):
        return None
    hidden = [
        part
        for place, part in enumerate((*folders, name))
        if part.startswith(".") and not _is_known(place, part)
    ]
    unseen = any(unicodedata.category(sign)[0] == "C" or sign == "\\" for sign in path)
    return None if hidden or unseen else [*folders, name]


def _is_known(place: int, part: str) -> bool:
    return place == 0 and part == WELL_KNOWN


class FileFolder:
    """The files below `root`, which may be a link."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, parts: list[str]) -> FoundFile | FoundFolder | None:
        """Return what a path's names lead to; None where that is nothing to be seen."""
        root = os.path.realpath(self._root)
        # Whoever typed the name and whoever saved the file may have written its accents in two ways.
        spellings = [parts] + [[unicodedata.normalize(form, part) for part in parts] for form in _FORMS]
        tried: list[list[str]] = []
        for names in spellings:
            if names not in tried:
                tried.append(names)
                if found := self._look(root, names):
                    return found
        return None

    def index(self) -> FoundFile | None:
        """Return the front end's page."""
        found = self.find([INDEX])
        return found if isinstance(found, FoundFile) else None

    def _look(self, root: str, names: list[str]) -> FoundFile | FoundFolder | None:
        *folders, name = names
        if name:
            found = _regular(root, *folders, name)
            if found is None and _regular(root, *folders, name, INDEX):
                return FoundFolder("/" + "/".join(map(quote, names)) + "/")
            return found
        return _regular(root, *folders, INDEX)


def _regular(root: str, *names: str) -> FoundFile | None:
    """Return a file that is one, can be read, and lies inside; links are followed, and must not lead out."""
    try:
        path = os.path.realpath(os.path.join(root, *names), strict=True)  # noqa: PTH118 - as texts, ten times as fast
        is_inside = path.startswith(f"{root}{os.sep}") and not _is_hidden(path[len(root) + 1 :])
        found = os.stat(path) if is_inside else None  # noqa: PTH116 - the same
    except (OSError, ValueError):
        return None
    if found is None or not stat.S_ISREG(found.st_mode) or not os.access(path, os.R_OK):
        return None
    return FoundFile(path, found.st_size, (found.st_mtime_ns, found.st_size, found.st_ino))


def _is_hidden(below: str) -> bool:
    """Tell whether a link leads to what is hidden inside; Kubernetes keeps a volume's files in a folder `..<time>`."""
    return any(
        part.startswith(".") and not part.startswith("..") and not _is_known(place, part)
        for place, part in enumerate(Path(below).parts)
    )


def front_end_folder(text: str, *, most: int = MOST_FILES) -> str:
    """Return the path of a folder that can be served; raises ValueError with a phrase that goes on from "which"."""
    root = Path(text)
    try:
        entries = sorted(entry.name for entry in root.iterdir())
    except (OSError, ValueError):
        raise ValueError("is not a folder that can be read") from None
    index = FileFolder(root).index()
    if index is None:
        raise ValueError(f"holds no {INDEX} that can be read; it should be what a build puts out")
    if index.size > LARGEST_HELD:
        raise ValueError(f"holds an {INDEX} of more than {LARGEST_HELD:,} bytes, which is no page")
    if taken := sorted({*RESERVED} & {*entries}):
        raise ValueError(
            f"holds {taken[0]!r}, which nobody would see: below /{taken[0]} the gateway answers itself"
        )
    if _holds_more_than(most, root):
        raise ValueError(f"holds more than {most:,} files; it should be what a build puts out, and no more")
    return text


def _holds_more_than(most: int, root: Path) -> bool:
    count = 0
    for _, _, files in os.walk(root):
        count += len(files)
        if count > most:
            return True
    return False
