"""A file that is held in memory, and how it travels: compressed where the browser takes it, not at all while it has it.

Owns the two forms of one content, and the answer to who asks for it.
Never reads a file, and never says which address it has.
"""

import gzip
import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import ETag, hdrs, web

# As a whole word, and not with a weight of nothing (RFC 9110, section 12.5.3); possessive, so never slow.
_TAKES_GZIP: Final = re.compile(
    r"(?:^|,)\s*+gzip\s*+(?!;\s*+q=0(?:\.0*+)?\s*+(?:,|$))(?=;|,|$)", re.IGNORECASE
)
LARGEST_HELD: Final = 8 * 1024 * 1024
# Asked again every time, answered 304 while nothing changed: no deployment leaves an old client behind.
ASKED_AGAIN: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One content in both forms; `content_type` is as the header says it."""

    plain: bytes
    packed: bytes
    tag: str
    content_type: str

    @classmethod
    def of(cls, content: bytes, content_type: str) -> Self:
        """Return a content with what follows from it; for large ones a thread's work."""
        tag = hashlib.sha256(content).hexdigest()[:32]
        return cls(content, gzip.compress(content, mtime=0), tag, content_type)

    def __len__(self) -> int:
        """Return how many bytes are held."""
        return len(self.plain) + len(self.packed)

    def answer(self, request: web.Request, *, status: int = 200, varies: str = "") -> web.Response:
        """Return the answer; `varies` names what of a request decides beside `Accept-Encoding`."""
        headers = {
            hdrs.CACHE_CONTROL: ASKED_AGAIN,
            hdrs.VARY: f"{hdrs.ACCEPT_ENCODING}, {varies}" if varies else hdrs.ACCEPT_ENCODING,
        }
        tags = request.if_none_match or ()
        if status == web.HTTPOk.status_code and any(tag.value in {self.tag, hdrs.METH_ANY} for tag in tags):
            response = web.Response(status=304, headers=headers)
        else:
            packed = _TAKES_GZIP.search(request.headers.get(hdrs.ACCEPT_ENCODING, "")) is not None
            if packed:
                headers[hdrs.CONTENT_ENCODING] = "gzip"
            headers[hdrs.CONTENT_TYPE] = self.content_type
            response = web.Response(
                body=self.packed if packed else self.plain, status=status, headers=headers
            )
        # Weak: the two forms of a file are one content in different clothes (RFC 9110, section 8.8.3).
        response.etag = ETag(self.tag, is_weak=True)
        return response
