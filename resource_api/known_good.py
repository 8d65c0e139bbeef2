"""What is known of the authority, kept in files for the service's next life.

Owns where metadata and signing keys lie: a file each, in a directory that is ours alone, named after the authority
they came from. They say whom to believe, and whoever could write them could sign tokens that we accept; so a file
that anybody else could have written is none.
Never raises: files that can't be used make a restart during an outage of the authority harder, and nothing else.
"""

import asyncio
import hashlib
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from servicekit.logs import log_event
from servicekit.outbound_call import LARGEST_REPLY

KEPT_SECONDS: Final = 7 * 24 * 3600
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH

_log = logging.getLogger(__name__)


class AuthorityFiles:
    """Keeps documents of the one authority that `issuer` and `url` (of its metadata) name; `now` is the wall clock."""

    def __init__(
        self, directory: Path, *, issuer: str, url: str, now: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._authority = hashlib.sha256(f"{issuer}\n{url}".encode()).hexdigest()[:16]
        self._now = now

    async def load(self, name: str) -> bytes | None:
        """Return what was saved under the name in the last week, if the file is ours."""
        try:
            return await asyncio.to_thread(self._read, self._file(name))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._tell("state-not-read", name, error)
            return None

    async def save(self, name: str, document: bytes) -> None:
        """Keep a document; whoever reads meanwhile gets the old one or the new one, whole."""
        try:
            await asyncio.to_thread(self._write, self._file(name), document)
        except OSError as error:
            self._tell("state-not-kept", name, error)

    def _file(self, name: str) -> Path:
        return self._directory / f"{name.replace(' ', '-')}-{self._authority}.json"

    def _read(self, path: Path) -> bytes:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise ValueError("is no file of this user's")
            if status.st_mode & _WRITABLE_BY_OTHERS:
                raise ValueError("can be written by others")
            # A time of writing that lies far ahead says as little about the age as none at all.
            if abs(self._now() - status.st_mtime) > KEPT_SECONDS:
                raise ValueError("is older than a week")
            document = file.read(LARGEST_REPLY + 1)
        if len(document) > LARGEST_REPLY:
            raise ValueError("is too large")
        return document

    def _write(self, path: Path, document: bytes) -> None:
        # For nobody else to read, as mkstemp makes it.
        handle, beside = tempfile.mkstemp(dir=self._directory, prefix=".", suffix=".new")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(document)
                file.flush()
                os.fsync(handle)
            Path(beside).replace(path)
        except OSError:
            Path(beside).unlink(missing_ok=True)
            raise

    def _tell(self, event: str, name: str, error: OSError | ValueError) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        log_event(_log, logging.WARNING, event, what=name, directory=str(self._directory), reason=reason)
