"""The page of the single-page client and what comes with it: as few files as a browser can begin with.

Owns reading which scripts and style sheets the page names, joining them, and writing into the page what is left to ask
for: addresses with the build in them.
Never knows what a module does. What is imported when it is needed (`import()`) is a file of its own, unless the page
names it among what is fetched ahead.

Sources: HTML, sections 4.6.7.12 (modulepreload) and 4.2.4 (the order of style sheets).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from gateway.edge.joined_modules import NotJoinableError, joined

SHEETS: Final = "page.css"
"""The style sheets of the page as one, in its order."""

_REFERENCE: Final = re.compile(r"""\b(href|src)="(/[^"?#]+)(?=["?#])""")
_PRELOAD: Final = re.compile(r"""^[ \t]*<link rel="modulepreload" href="/([^"]+)">\n""", re.MULTILINE)
_MODULE: Final = re.compile(r"""<script(?=[^>]* type="module")[^>]* src="/([^"]+)\"""")
_SHEET: Final = re.compile(
    r"""^(?P<margin>[ \t]*)<link rel="stylesheet" href="/(?P<path>[^"]+)"(?: media="(?P<media>[^"]+)")?>\n""",
    re.MULTILINE,
)
# What says where a sheet lies, or must be the first thing in it.
_BOUND: Final = re.compile(rb"url\(|@import|@charset|@namespace", re.IGNORECASE)


def with_files_joined(page: str, files: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    """Return the page and the files that it is made of, fewer than those of the folder; addresses stay as they are.

    A module that the page preloads travels with the next script of the page. Where a module or a sheet is written in
    a way that cannot be joined, all of its kind stay as they lie.
    """
    page, others = _with_sheets_joined(page, files)
    scripts = {name: others.pop(name) for name in files if name.endswith(".js")}
    try:
        modules = joined(list(_roots(page)), scripts)
    except NotJoinableError:
        modules = scripts
    page = _PRELOAD.sub(lambda found: found[0] if found[1] in modules else "", page)
    return page, others | modules


def addressed(page: str, prefix: str, names: Iterable[str]) -> str:
    """Return the page with `prefix` before each address of a file among `names`."""
    known = {*names}
    return _REFERENCE.sub(
        lambda found: f'{found[1]}="{prefix}{found[2]}' if found[2][1:] in known else found[0], page
    )


def _roots(page: str) -> Iterator[tuple[str, list[str]]]:
    """Give the page's own modules in its order, each with what the page preloads before it."""
    begin = 0
    for script in _MODULE.finditer(page):
        ahead = [found[1] for found in _PRELOAD.finditer(page, begin, script.start())]
        yield script[1], [name for name in ahead if name != script[1]]
        begin = script.end()


def _with_sheets_joined(page: str, files: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
    others = dict(files)
    found = list(_SHEET.finditer(page))
    paths = [sheet["path"] for sheet in found]
    is_known = SHEETS not in files and all(path in files for path in paths)
    if not found[1:] or not is_known or any(_BOUND.search(files[path]) for path in paths):
        return page, others
    sheets = [_for_media(sheet["media"], others.pop(sheet["path"])) for sheet in found]
    link = f'{found[0]["margin"]}<link rel="stylesheet" href="/{SHEETS}">\n'
    page = _SHEET.sub(lambda sheet: link if sheet.start() == found[0].start() else "", page)
    return page, others | {SHEETS: b"".join(sheets)}


def _for_media(media: str | None, sheet: bytes) -> bytes:
    return b"@media %s {\n%s}\n" % (media.encode(), sheet) if media else sheet
