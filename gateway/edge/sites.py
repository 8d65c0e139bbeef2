"""Whether two origins are of one site, so that browsers send the cookies of one with what pages of the other fetch.

Owns the rule as far as it can be written down: one scheme, and one name that somebody could register below the suffix
under which names are given away. The suffixes are those of countries by their habit, and a short list of those under
which applications are hosted; the whole list changes each week, and a browser's is the one that counts.
Never decides a request: browsers say `Sec-Fetch-Site` themselves, and the guard believes that.

Sources: HTML Standard, section 7.1.1.2 (schemelessly same site and schemeful); publicsuffix.org.
"""

import ipaddress
import re
from typing import Final

from servicekit.web_address import WebAddress

# Below the two letters of a country: co.uk, com.au, gov.br.
_SECOND_LEVELS: Final = frozenset(
    [
        "ac",
        "asn",
        "co",
        "com",
        "edu",
        "gob",
        "gouv",
        "gov",
        "govt",
        "ltd",
        "mil",
        "net",
        "nhs",
        "nom",
        "org",
        "plc",
        "police",
        "sch",
        "school",
    ]
)
_OF_ONE_COUNTRY: Final = frozenset(
    [
        "or.jp",
        "ne.jp",
        "go.jp",
        "lg.jp",
        "or.kr",
        "go.kr",
        "ne.kr",
        "or.at",
        "go.th",
        "in.th",
        "or.th",
        "or.id",
        "go.id",
        "web.id",
        "my.id",
        "me.uk",
        "id.au",
    ]
)
# Where anybody may have a name beside others, by those who host applications.
_HOSTED: Final = frozenset(
    [
        "azurewebsites.net",
        "azurestaticapps.net",
        "azurefd.net",
        "cloudapp.net",
        "trafficmanager.net",
        "web.app",
        "firebaseapp.com",
        "appspot.com",
        "run.app",
        "github.io",
        "gitlab.io",
        "pages.dev",
        "workers.dev",
        "vercel.app",
        "netlify.app",
        "herokuapp.com",
        "onrender.com",
        "fly.dev",
        "deno.dev",
        "cloudfront.net",
        "amplifyapp.com",
        "elasticbeanstalk.com",
        "ngrok.io",
        "ngrok.app",
        "ngrok-free.app",
        "trycloudflare.com",
        "ondigitalocean.app",
        "up.railway.app",
        "duckdns.org",
    ]
)
_REGIONAL: Final = re.compile(
    r"[a-z0-9-]+\.(?:cloudapp\.azure\.com|azurestaticapps\.net|elasticbeanstalk\.com|devtunnels\.ms)"
)


def is_same_site(one: WebAddress, other: WebAddress) -> bool:
    """Tell whether browsers take two origins for one site; ports do not count."""
    if one.scheme != other.scheme:
        return False
    if one.host == other.host:
        return True
    mine, theirs = _registered(one.host), _registered(other.host)
    return mine is not None and mine == theirs


def _registered(host: str) -> str | None:
    """Return the name that somebody registered; None for an address, and for a suffix itself."""
    if host.startswith("[") or _is_address(host):
        return None
    labels = host.split(".")
    for first in range(len(labels)):
        if _is_suffix(".".join(labels[first:])):
            return ".".join(labels[first - 1 :]) if first else None
    return None


def _is_suffix(name: str) -> bool:
    head, dot, tail = name.partition(".")
    if not dot:
        return True
    if "." not in tail and len(tail) == 2 and head in _SECOND_LEVELS:  # noqa: PLR2004 - a country's two letters
        return True
    return name in _HOSTED | _OF_ONE_COUNTRY or _REGIONAL.fullmatch(name) is not None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
