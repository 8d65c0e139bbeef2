"""What a conforming browser stores and sends of cookies: RFC 6265bis, written from the text beside our reader.

Owns the parsing of a Set-Cookie field (section 5.6), what of storing a cookie depends on its name (5.7, and 4.1.3 for
the prefixes), and the header that goes out (5.8.3). Never knows hosts, paths or times: all cookies here are for the
request that is made.
"""

from dataclasses import dataclass, field
from typing import Final

_LONGEST: Final = 4_096
_REFUSED: Final = frozenset([*range(0x09), *range(0x0A, 0x20), 0x7F])
_PREFIXES: Final = ("__secure-", "__host-", "__http-")


@dataclass
class UserAgent:
    """The cookies of one browser for one host; `is_sibling` says that they come from another host or by script."""

    stored: dict[tuple[str, bool], str] = field(default_factory=dict)
    """Values by name, and whether it is for the sibling's whole domain: a host's and a domain's are two cookies."""

    def takes(self, line: str, *, is_sibling: bool) -> bool:
        """Read the part of a Set-Cookie field before its attributes; tell whether the cookie is stored."""
        if any(ord(sign) in _REFUSED for sign in line):
            return False
        first, equals, rest = line.partition(";")[0].partition("=")
        name, value = (first, rest) if equals else ("", first)
        name, value = name.strip(" \t"), value.strip(" \t")
        if not (name or value) or len((name + value).encode(errors="surrogateescape")) > _LONGEST:
            return False
        shown = name or value
        # A prefix asks for a cookie of this host alone, and no nameless cookie may look as if it had one.
        if shown.lower().startswith(_PREFIXES) and (is_sibling or not name):
            return False
        self.stored[name, is_sibling] = value
        return True

    @property
    def header(self) -> str:
        """The Cookie field of a request."""
        return "; ".join(f"{name}={value}" if name else value for (name, _), value in self.stored.items())
