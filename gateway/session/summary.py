"""What a person's other sessions may know of one, without its cookie.

Owns the summary that lies beside each session, sealed with the server's keys alone, and how it is read.
Never holds anything that opens a session.
"""

from dataclasses import dataclass
from typing import Final

from gateway.store.names import SessionRef
from gateway.store.stored_form import read_record
from gateway.store.vault import Vault

SUMMARY: Final = "summary"


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What may be known; times in seconds since 1970.

    `sid` is the owner of the index of the authority's session, so that it forgets whoever is ended from elsewhere.
    """

    device: str
    created_at: float
    last_mfa_at: float | None
    sid: str = ""


def read_summary(vault: Vault, ref: SessionRef, stored: bytes | None) -> SessionSummary | None:
    """Return a session's summary; None where there is none, or this gateway cannot read it."""
    opened = vault.open(ref, SUMMARY, stored, secret=b"") if stored else None
    return read_record(SessionSummary, opened.value) if opened else None
