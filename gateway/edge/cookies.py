"""The cookies of a request: the only reader of the `Cookie` header.

Owns joining its fields, and taking them apart: at `;` alone, with blanks and tabs around a name and a value taken off,
and nothing else read into them (RFC 6265bis, sections 5.6 and 5.8.3, say what browsers store and send). A proxy that
speaks HTTP/2 to the browser may hand the header on in several fields, which are one (RFC 9113, section 8.2.3); aiohttp
reads the first alone.
Never reads a quotation mark as one: for browsers a cookie ends at the next `;`, and a reader that thinks otherwise lets
a sibling's cookie swallow ours. Never knows a cookie of ours by name, nor judges a value.
"""

from collections import Counter

from aiohttp import hdrs, web

_BLANKS = " \t"


def cookies(request: web.Request) -> dict[str, str]:
    """Return the request's cookies by name, letter for letter; a name that is there twice is left out.

    The prefix `__Host-` lets one cookie of a name exist: who sends two wants us to take the wrong one. Of
    nameless cookies, which browsers send as a bare value, those without an equals sign are left out.
    """
    pairs = _pairs(request)
    times = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if times[name] == 1}


def cookie_values(request: web.Request, name: str) -> list[str]:
    """Return every value that the browser sent under this name, in its order: more than one is one too many."""
    return [value for sent, value in _pairs(request) if sent == name]


def whole_field(request: web.Request) -> str | None:
    """Return all that the browser sent of cookies, letter for letter; None where it came in several fields, or not.

    The same letters are the same cookies, whoever reads them.
    """
    fields = request.headers.getall(hdrs.COOKIE, [])
    return fields[0] if len(fields) == 1 else None


def _pairs(request: web.Request) -> list[tuple[str, str]]:
    whole = "; ".join(request.headers.getall(hdrs.COOKIE, []))
    parted = (pair.partition("=") for pair in whole.split(";"))
    return [(name.strip(_BLANKS), value.strip(_BLANKS)) for name, equals, value in parted if equals]
