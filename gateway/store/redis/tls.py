"""Whom we believe to be Redis: a TLS context that follows its file.

Owns the one context of all connections to Redis. Never turns off the check of certificate or name.
"""

import ssl
from pathlib import Path


class Trust:
    """A TLS context, made anew when the PEM file of authorities has changed; without a file, the system's."""

    def __init__(self, file: str | None) -> None:
        self._file = Path(file) if file else None
        self._stamp: tuple[int, int] | None = None
        self._context = self._new_context()

    def context(self) -> ssl.SSLContext:
        """Return the context for a new connection; while a new file cannot be read, the one before it."""
        try:
            if self._stamp != self._stamped():
                self._context = self._new_context()
        except (OSError, ssl.SSLError):
            pass  # half-written, or gone for a moment
        return self._context

    def _new_context(self) -> ssl.SSLContext:
        stamp = self._stamped()
        context = ssl.create_default_context(cafile=self._file)
        self._stamp = stamp
        return context

    def _stamped(self) -> tuple[int, int] | None:
        if self._file is None:
            return None
        status = self._file.stat()
        return status.st_mtime_ns, status.st_size
