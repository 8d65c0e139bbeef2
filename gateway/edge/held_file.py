"""A file that is held in memory, and how it travels: compressed where the browser takes it, not at all while it has it.

Owns the forms of one content, and the answer to who asks for it: the plain one once, and each compressed one once.
Never reads a file, and never says which address it has.
"""

import gzip
import hashlib
import threading
import weakref
from collections import deque
from typing import Final

from aiohttp import ETag, hdrs, web

from gateway.edge.accepted_encodings import BROTLI, GZIP, PLAIN, best_encoding

LARGEST_HELD: Final = 8 * 1024 * 1024
# Asked again every time, answered 304 while nothing changed: no deployment leaves an old client behind.
ASKED_AGAIN: Final = "no-cache"
# A year, the longest that caches are asked to believe (RFC 9111, section 1.2.2); RFC 8246.
NEVER_ASKED_AGAIN: Final = "public, max-age=31536000, immutable"
# Brotli takes a second for a megabyte at its best: larger files are compressed less well, and not for longer.
_AS_WELL_AS_CAN_BE: Final = 11
_QUALITIES: Final = ((512 * 1024, _AS_WELL_AS_CAN_BE), (2 * 1024 * 1024, 9), (LARGEST_HELD, 5))


class HeldFile:
    """One content in its forms; `content_type` is as the header says it.

    Made with the plain form and gzip's; `compress_better` adds brotli's, which takes thirty times as long.
    """

    __slots__ = ("__weakref__", "_forms", "content_type", "plain", "tag")

    def __init__(self, content: bytes, content_type: str) -> None:
        """Take a content with what follows from it; for large ones a thread's work."""
        self.plain = content
        self.content_type = content_type
        self.tag = hashlib.sha256(content).hexdigest()[:32]
        # The smallest first; replaced as a whole, so that other threads see one or the other.
        self._forms: dict[str, bytes] = {GZIP: gzip.compress(content, mtime=0)}

    def __len__(self) -> int:
        """Return how many bytes are held at most; brotli's form is no larger than gzip's, or is not kept."""
        return len(self.plain) + 2 * len(self._forms[GZIP])

    def compress_better(self) -> None:
        """Add brotli's form, where it is smaller; a thread's work, and done once."""
        import brotli  # noqa: PLC0415 - nobody waits for it, and most processes of a computer never need it

        if BROTLI in self._forms:
            return
        quality = next(quality for most, quality in _QUALITIES if len(self.plain) <= most)
        packed = brotli.compress(self.plain, quality=quality)
        if len(packed) < len(self._forms[GZIP]):
            self._forms = {BROTLI: packed, **self._forms}

    def answer(
        self, request: web.Request, *, status: int = 200, varies: str = "", caching: str = ASKED_AGAIN
    ) -> web.Response:
        """Return the answer; `varies` names what of a request decides beside `Accept-Encoding`."""
        headers = {
            hdrs.CACHE_CONTROL: caching,
            hdrs.VARY: f"{hdrs.ACCEPT_ENCODING}, {varies}" if varies else hdrs.ACCEPT_ENCODING,
        }
        tags = request.if_none_match or ()
        if status == web.HTTPOk.status_code and any(tag.value in {self.tag, hdrs.METH_ANY} for tag in tags):
            response = web.Response(status=304, headers=headers)
        else:
            forms = self._forms
            coding = best_encoding(request.headers.getall(hdrs.ACCEPT_ENCODING, ()), tuple(forms))
            if coding != PLAIN:
                headers[hdrs.CONTENT_ENCODING] = coding
            headers[hdrs.CONTENT_TYPE] = self.content_type
            response = web.Response(body=forms.get(coding, self.plain), status=status, headers=headers)
        # Weak: the forms of a file are one content in different clothes (RFC 9110, section 8.8.3).
        response.etag = ETag(self.tag, is_weak=True)
        return response


class Compressor:
    """Compresses files better, one after the other, in a thread that there is only while there is something to do.

    Nobody waits for it: until it is done, gzip's form travels. It is a second of a core for all of our client.
    """

    def __init__(self) -> None:
        # Whoever holds a file may forget it meanwhile.
        self._waiting: deque[weakref.ref[HeldFile]] = deque()
        self._is_working = False
        self._lock = threading.Lock()

    def take(self, *files: HeldFile) -> None:
        """Compress these as well, soon."""
        with self._lock:
            self._waiting.extend(map(weakref.ref, files))
            if self._is_working or not self._waiting:
                return
            self._is_working = True
        # Ends with the process: nothing is lost with it.
        threading.Thread(target=self._work, name="compressor", daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    return
                file = self._waiting.popleft()()
            if file:
                file.compress_better()
