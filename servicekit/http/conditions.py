"""Conditions of a request: the entity tag of a JSON object, and what an `If-Match` says of it.

Owns how a tag is made, the form of the header, and the comparison, so that both services judge alike: a tag that one
of them gave counts at the other.
Never reads the state that a condition is about, and never refuses a request whose condition fails.

Sources: RFC 9110, sections 8.8.3 (entity tags) and 13.1.1 (`If-Match`).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import hdrs, web

from servicekit.errors import BadRequest

ANY: Final = "*"
"""The condition that holds for whatever there is."""
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e]*"'
_LIST: Final = re.compile(rf"\s*{_TAG}\s*(?:,\s*{_TAG}\s*)*")
_EACH: Final = re.compile(r'(W/)?("[^"]*")')
_OURS: Final = re.compile(r'(?<!W/)"[0-9a-f]{32}"')
_MOST_TAGS: Final = 16


def etag_of(members: Mapping[str, Any]) -> str:
    """Return the strong entity tag of a JSON object: the same for the same members, in whatever order."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return f'"{hashlib.sha256(canonical).hexdigest()[:32]}"'


def if_match(request: web.Request) -> str | None:
    """Return the `If-Match` header fields as one; raises BadRequest when they are no list of entity tags."""
    lines = request.headers.getall(hdrs.IF_MATCH, [])
    if not lines:
        return None
    text = ", ".join(lines).strip()  # RFC 9110, section 5.3
    if text != ANY and not _LIST.fullmatch(text):
        raise BadRequest("If-Match must be an entity tag, as the ETag header gave it.")
    return text


def matches(condition: str, etag: str) -> bool:
    """Compare strongly, as RFC 9110, section 13.1.1 asks: a weak tag never matches."""
    return condition == ANY or ("", etag) in _EACH.findall(condition)


def that_can_match(condition: str) -> str | None:
    """Return what of a condition may hold for a tag of ours, of which nobody has seen many; None where nothing may."""
    return ANY if condition == ANY else ", ".join(_OURS.findall(condition)[:_MOST_TAGS]) or None
