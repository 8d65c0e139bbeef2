"""A whole reply to a request of ours.

Owns its form, and what it says of when to come back. Never says what a status means.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDictProxy


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; header names are case-insensitive."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body; raises ValueError when it is not JSON."""
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error

    @property
    def retry_after(self) -> int | None:
        """Seconds that the other side asks to wait, at most an hour; None when it does not say."""
        return retry_after_seconds(self.headers)


def retry_after_seconds(headers: Mapping[str, str]) -> int | None:
    """Return how long an answer asks to wait, at most an hour; None when it does not say, or says it as a date."""
    text = headers.get("Retry-After", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() and len(text) < 9 else None  # noqa: PLR2004 - more digits than an hour needs
