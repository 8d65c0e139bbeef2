"""A token of another issuer that the authority takes in place of a secret: workload identity federation.

Owns the file that an orchestrator writes and renews (Kubernetes: a projected service account token), read anew for each
assertion. Source: RFC 7521, section 4.2, and RFC 7523, section 2.2; Entra, "Workload identity federation".
Never verifies the token, which the authority does, and never writes it into a message.
"""

import re
import threading
from pathlib import Path
from typing import Final

_LARGEST: Final = 65_536
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}")


class FederatedToken:
    """The token that is in a file now; may be asked for from several threads.

    A file that cannot be used for a moment, while it is renewed for instance, leaves the last good token in use: the
    authority says when that is over.
    """

    def __init__(self, file: Path) -> None:
        """Read the file once; raises ValueError with a phrase that goes on from "which"."""
        self.file = file
        self._last = read_token(file)
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """Return the token to prove oneself with."""
        try:
            token = read_token(self.file)
        except ValueError:
            with self._lock:
                return self._last
        with self._lock:
            self._last = token
        return token

    def __repr__(self) -> str:
        return f"FederatedToken({str(self.file)!r})"


def read_token(file: Path) -> str:
    """Return the token in a file; raises ValueError with a phrase.

    Not checked: what it says, and whether it is still good.
    """
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST).decode("utf-8-sig").strip()
    except OSError as error:
        raise ValueError(f"names a file that can't be read: {error.strerror}") from None
    except ValueError:
        raise ValueError("names a file that holds no text") from None
    if not text:
        raise ValueError("names a file that is empty")
    if not _JWT.fullmatch(text):
        raise ValueError("names a file that holds no token in the form of a JWT")
    return text
