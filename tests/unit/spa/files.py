"""The client's files, as tests read them: their text, what they import, and the words they speak.

Owns the reading only; what must be true of it is in the tests beside it.
"""

import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path(__file__).parents[3]
SPA: Final = ROOT / "spa"

_IMPORT: Final = re.compile(r"""(?:\bfrom|\bimport\()\s*'(\.{1,2}/[^']+)'""")
_STATIC: Final = re.compile(r"""^(?:import|export)\b[^;]*?from\s+'(\.{1,2}/[^']+)'""", re.MULTILINE)
_COMMENT: Final = re.compile(r"/\*.*?\*/|(?<![:'])//[^\n]*", re.DOTALL)


@cache
def text(name: str) -> str:
    """Return a file's text; `name` is its path below spa/."""
    return (SPA / name).read_text("utf-8")


def code(name: str) -> str:
    """Return a script's text without its comments."""
    return _COMMENT.sub("", text(name))


def names(suffix: str) -> list[str]:
    """Return the paths of all files with a suffix."""
    return sorted(path.relative_to(SPA).as_posix() for path in SPA.rglob(f"*{suffix}"))


def imports(name: str, *, static: bool = False) -> list[str]:
    """Return what a script imports, as paths below spa/; with `static`, only what loads together with it."""
    names = (_STATIC if static else _IMPORT).findall(code(name))
    return [_resolve(name, target) for target in names]


def loaded_with(name: str) -> set[str]:
    """Return every script that loads together with this one."""
    loaded: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in loaded:
            loaded.add(one)
            waiting += imports(one, static=True)
    return loaded


LANGUAGES: Final = ("en", "de")


def of_language(language: str) -> list[str]:
    """Return the paths of a language's catalogue."""
    return [name for name in names(".js") if re.fullmatch(rf"words/{language}(-\w+)?\.js", name)]


def words(language: str = "en") -> dict[str, str]:
    """Return a catalogue's keys with the source of their values; problems are not among them."""
    texts: dict[str, str] = {}
    for name in of_language(language):
        texts |= dict(re.findall(r"^  '([\w.-]+)':\s*(.+),$", text(name), re.MULTILINE))
    return texts


def problem_rows(language: str = "en") -> dict[str, list[str]]:
    """Return the texts of each problem type, by slug: its title, what happened, what to do."""
    rows = re.findall(r"^  \[('.*')\],$", text(f"words/{language}-problems.js"), re.MULTILINE)
    cells = [re.findall(r"'([^']*)'", row) for row in rows]
    return {slug: texts for slug, *texts in cells}


def _resolve(name: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(name).parent / target).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
