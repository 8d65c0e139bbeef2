"""From the target of a request, as it came over the wire, to a row and to an address of its upstream.

Owns which row a request is for, and that what follows the prefix goes on byte for byte, or not at all. Judges the raw
target alone: the decoded path that a router sees has lost what matters.
Never asks who sends a request, and never opens a connection.

What is refused is what two servers read differently: dot segments, also those that Tomcat and others make of `..;x`;
a backslash, which browsers and IIS take for a slash; encoded slashes, backslashes and dots; what is no UTF-8 or hides
a control character, `%00` and overlong forms such as `%c0%ae` among them; a `%` without two digits behind it.
Sources: RFC 3986, sections 2.1, 3.3 and 6.2.2; RFC 9112, section 3.2; RFC 10017, "Proxy Restrictions".
"""

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway.upstream_rows.row import UpstreamRow
from servicekit.errors import BadRequest

# RFC 9112, section 3.2.2: what a client says to a proxy, and any server must take.
_ABSOLUTE_FORM: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)
# What ends a prefix; of these all but the end itself and a slash are refused later, and must not look like no row.
_END_OF_PREFIX: Final = re.compile(r"$|[/\\#]|%2f|%5c", re.IGNORECASE)
_DOTS: Final = frozenset({".", ".."})


def _is_no_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return True
    return False


def _has_dots(path: str) -> bool:
    return any(segment.partition(";")[0] in _DOTS for segment in path.split("/"))


Judge = Callable[[str], object]

_OF_TARGETS: Final[tuple[tuple[Judge, str], ...]] = (
    (lambda text: "#" in text, "it holds a #"),
    (re.compile(r"[\x00-\x20\x7f]").search, "it holds a space or a control character"),
    (lambda text: _is_no_utf8(text.encode(errors="surrogateescape")), "it is not UTF-8"),
)
_OF_PATHS: Final[tuple[tuple[Judge, str], ...]] = (
    (lambda path: "\\" in path, "its path holds a backslash"),
    (
        re.compile(r"%(?![0-9A-Fa-f]{2})").search,
        "its path holds a % without two hexadecimal digits behind it",
    ),
    (
        re.compile(r"%(?:2e|2f|5c)", re.IGNORECASE).search,
        "its path holds an encoded slash, backslash or dot",
    ),
    (
        re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE).search,
        "its path holds an encoded control character",
    ),
    (lambda path: _is_no_utf8(unquote_to_bytes(path)), "its path is not UTF-8 once it is decoded"),
    (_has_dots, "its path has dots for a segment"),
)
# What has none of these signs, nobody reads in two ways; most requests are so, and are judged by one look.
_PLAIN: Final = re.compile(r"[A-Za-z0-9/_~:@!$&'()*+,=-]*(?:\?[!\"$-~]*)?")
_NO_ROWS: Final[Mapping[str, UpstreamRow]] = MappingProxyType({})


class UpstreamPaths:
    """The rows by their prefixes; of several the longest counts, whatever the method."""

    def __init__(self, rows: Iterable[UpstreamRow]) -> None:
        found: dict[str, dict[str, UpstreamRow]] = {}
        for row in rows:
            found.setdefault(row.prefix, {}).update(dict.fromkeys(row.methods, row))
        self._by_length = sorted(found.items(), key=lambda item: -len(item[0]))

    @property
    def prefixes(self) -> Mapping[str, Mapping[str, UpstreamRow]]:
        """Rows by method, by prefix, the longest first."""
        return dict(self._by_length)

    def prefix_of(self, target: str) -> str | None:
        """Return the longest prefix that a request target begins with, whole segments to the letter; None without one.

        So a method that no row of this prefix has is refused, and never goes to a row of a shorter one.
        """
        path = path_and_query(target)[0]
        return next((prefix for prefix, _ in self._by_length if _begins_with(path, prefix)), None)

    def rows_of(self, target: str) -> Mapping[str, UpstreamRow]:
        """Return the rows that answer a request target, by method; none where no prefix fits."""
        prefix = self.prefix_of(target)
        return self.prefixes[prefix] if prefix is not None else _NO_ROWS


def path_and_query(target: str) -> tuple[str, str]:
    """Return the path of a raw request target, and its query with the question mark in front, or nothing."""
    absolute = _ABSOLUTE_FORM.match(target)
    origin_form = target[absolute.end() :] if absolute else target
    path, mark, query = origin_form.partition("?")
    return path, mark + query


def address_of(row: UpstreamRow, target: str) -> str:
    """Return where a request goes whose raw target begins with the row's prefix, as text that needs no encoding.

    Raises BadRequest where the target is one that two servers may read differently.
    Not checked: the query, but for characters that no target can have; what it means is the upstream's business.
    """
    path, query = path_and_query(target)
    if not _begins_with(path, row.prefix):
        raise BadRequest("The path does not begin with the prefix of its upstream.")
    if not _PLAIN.fullmatch(path + query) and (fault := _fault_of(path, query)):
        raise BadRequest(f"The address cannot be passed on: {fault}.")
    rest = path.removeprefix(row.prefix) + query
    # Without a path of its own an address needs a slash before a query.
    return f"{row.target}/{rest}" if _has_no_path(row.target) and rest[:1] != "/" else row.target + rest


def _begins_with(path: str, prefix: str) -> bool:
    return path.startswith(prefix) and _END_OF_PREFIX.match(path, len(prefix)) is not None


def _has_no_path(address: str) -> bool:
    return "/" not in address.partition("://")[2]


def _fault_of(path: str, query: str) -> str | None:
    """Return what is wrong with a path and a query, as the end of a sentence."""
    judged = ((judges, path) for judges in (_OF_TARGETS, _OF_PATHS))
    pairs = itertools.chain(judged, [(_OF_TARGETS, query)])
    return next((phrase for judges, text in pairs for is_wrong, phrase in judges if is_wrong(text)), None)
