"""An address of http or https in its normal form: the one that browsers make of it.

Owns the reading of such an address and the spelling of its parts, by the rules of the URL Standard (WHATWG): scheme and
host in small letters, names in their ASCII form (IDNA, UTS 46), every spelling of an IP address as the one that is
written to others, no default port. What a browser says in `Origin` and `Host` can then be compared letter by letter.
What a browser would take, and nobody means, is refused with a phrase that goes on from "which": user names,
backslashes, spaces, percent signs in the host, a dot behind it, dot segments, queries and fragments.
Never resolves a name, and never says where plain http will do.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna

_FORM: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_PORTS: Final = {"http": 80, "https": 443}
_LARGEST_PORT: Final = 65_535
_LONGEST_NAME: Final = 253
# The names that resolvers take (RFC 1123, section 2.1), with the underscore that container names have.
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# RFC 3986, section 3.3: what stands in a path as itself.
_PATH: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_DOTS: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
# UTS 46 reads all four as the dot between labels.
_FULL_STOPS: Final = (".", "\u3002", "\uff0e", "\uff61")
# Spaces, ends of lines and control characters; what joins letters, as Persian names need it, is IDNA's business.
_UNSEEN: Final = frozenset({"Zs", "Zl", "Zp", "Cc"})
_NO_ADDRESS: Final = "is not an http or https address"


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The parts of an address in normal form; `host` has brackets where it is of IPv6, `port` is None by default."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser writes them in `Origin` (RFC 6454, section 6.2)."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port is not None else "")

    @property
    def is_on_loopback(self) -> bool:
        """Whether it leads to this machine: `localhost`, 127.0.0.0/8 or ::1."""
        return self.host == "localhost" or _is_loopback(self.host)

    def __str__(self) -> str:
        """Return the whole address."""
        return f"{self.origin}{self.path}"


def read_web_address(text: str) -> WebAddress:
    """Return the parts of an address in normal form; raises ValueError with a phrase for what cannot be meant."""
    if any(unicodedata.category(character) in _UNSEEN for character in text):
        raise ValueError("holds a space or a character that cannot be seen")
    if "\\" in text:
        raise ValueError("holds a backslash")
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(_NO_ADDRESS)
    scheme, authority, path, rest = form[1].lower(), form[2], form[3], form[4]
    if "@" in authority:
        # It would be told wherever the address is: in logs, in a page's redirect, in what the doctor prints.
        raise ValueError("holds a user name or a password")
    if rest:
        raise ValueError(f"{_NO_ADDRESS} alone: it has a query or a fragment")
    host, port = _host_and_port(authority)
    if not _PATH.fullmatch(path):
        raise ValueError("has a path with characters that must be percent-encoded")
    if any(_DOTS.fullmatch(segment) for segment in path.split("/")):
        raise ValueError("has a path with dots for segments")
    return WebAddress(scheme, host_in_normal_form(host), None if port == _PORTS[scheme] else port, path)


def host_in_normal_form(text: str) -> str:
    """Return a host as a browser spells it; raises ValueError with a phrase."""
    if text.startswith("["):
        return f"[{_ipv6(text[1:-1])}]"
    if not text:
        raise ValueError(f"{_NO_ADDRESS}: it lacks a host")
    if "%" in text:
        raise ValueError("has a percent sign in its host")
    if text.endswith(_FULL_STOPS):
        raise ValueError("has a dot behind its host, which makes it another host to browsers")
    name = text.lower() if text.isascii() else _ascii_name(text)
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(map(_is_label, labels)):
        raise ValueError("has a host that is no name")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return _ipv4(labels)
    return name


def _host_and_port(authority: str) -> tuple[str, int | None]:
    form = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?", authority, re.ASCII)
    if form is None:
        if authority.count(":") > 1 and "[" not in authority:
            raise ValueError("has an IPv6 address without brackets around it, or a port that is no number")
        raise ValueError(f"{_NO_ADDRESS}: it has a host or a port that cannot be read")
    if not form[2]:
        return form[1], None
    # Before it is a number: Python does not make one of thousands of digits.
    digits = form[2].lstrip("0")
    if not digits or len(digits) > len(str(_LARGEST_PORT)) or int(digits) > _LARGEST_PORT:
        raise ValueError(f"{_NO_ADDRESS}: it has a port that does not exist")
    return form[1], int(digits)


def _ascii_name(text: str) -> str:
    try:
        return idna.encode(text, uts46=True, std3_rules=False, transitional=False).decode()
    except idna.IDNAError:
        raise ValueError(
            "has a host that cannot be written in the ASCII form of such names; write the form with xn--"
        ) from None


def _is_label(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    if not label.startswith("xn--"):
        return True
    try:
        letters = label.removeprefix("xn--").encode().decode("punycode")
        # UTS 46, section 4.1: letters that stay what they are.
        return not letters.isascii() and idna.uts46_remap(letters, std3_rules=False) == letters
    except ValueError:
        return False


def _ipv4(labels: list[str]) -> str:
    """Return an IPv4 address as four numbers, whatever it is written as (URL Standard, IPv4 parser)."""
    try:
        *first, last = [_ipv4_number(label) for label in labels]
        # Of four bytes the last number fills those that the others left; a negative length is refused, too.
        address = ipaddress.IPv4Address(bytes(first) + last.to_bytes(4 - len(first)))
    except (ValueError, OverflowError):
        raise ValueError("has a host that ends in a number and is no IPv4 address") from None
    if address.is_unspecified:
        raise ValueError("has an address to listen on, 0.0.0.0, which nobody can be reached at")
    return str(address)


def _ipv4_number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") and len(text) > 1 else 10)


def _ipv6(text: str) -> str:
    if "%" in text:
        raise ValueError("has an IPv6 address with a zone, which is this machine's alone")
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError("has a host that is no IPv6 address") from None
    if address.is_unspecified:
        raise ValueError("has an address to listen on, [::], which nobody can be reached at")
    if mapped := address.ipv4_mapped:
        # The standard writes two numbers of 16 bits there, and newer Pythons an IPv4 address.
        high, low = divmod(int(mapped), 1 << 16)
        return f"::ffff:{high:x}:{low:x}"
    return address.compressed


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
