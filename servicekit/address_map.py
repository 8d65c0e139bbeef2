"""Which address answers for a host, in local work.

Owns the reading of `…_AUTHORITY_MAP` and the rewriting of a URL: the configuration keeps the authority's true
name, as in production, and only the connection goes elsewhere.
Never maps a host that is not named, and never decides whether a map is allowed: settings do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from servicekit.setting_sentences import shown
from servicekit.web_address import WebAddress, read_web_address

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class AddressMap:
    """From host (`name` or `name:port`, lower case) to the origin that answers for it."""

    origins: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, hosts: Iterable[str]) -> "AddressMap":
        """Read a map: one URL that answers for all `hosts`, or comma-separated `host=url` pairs.

        Raises ValueError with a sentence when an entry is neither.
        """
        text = text.strip()
        if not text:
            return cls()
        if "=" not in text:
            origin = _origin(text)
            return cls(dict.fromkeys((_named(read_web_address(f"https://{host}")) for host in hosts), origin))
        origins: dict[str, str] = {}
        for entry in text.split(","):
            host, equals, url = entry.strip().partition("=")
            if not host or not equals or "/" in host:
                raise ValueError(f"{shown(entry.strip())} is not of the form host=url")
            origins[_named(read_web_address(f"https://{host}"))] = _origin(url)
        return cls(origins)

    def apply(self, url: str) -> tuple[str, dict[str, str]]:
        """Return the URL to connect to and the headers it needs (`Host` of the name that was meant)."""
        parts = urlsplit(url)
        origin = self.origins.get(parts.netloc.lower().removesuffix(f":{_PORTS.get(parts.scheme)}"))
        if origin is None:
            return url, {}
        target = urlsplit(origin)
        return urlunsplit((target.scheme, target.netloc, parts.path, parts.query, "")), {"Host": parts.netloc}


def _named(address: WebAddress) -> str:
    return address.origin.removeprefix("https://")


def _origin(url: str) -> str:
    try:
        address = read_web_address(url.strip())
    except ValueError as error:
        raise ValueError(
            f"{shown(url.strip())} is not an origin such as http://127.0.0.1:8400, because it {error}"
        ) from None
    if address.path.strip("/"):
        raise ValueError(f"{shown(url.strip())} is not an origin such as http://127.0.0.1:8400")
    return address.origin
