"""Whom a fact is about: the person, and the session in which it happened.

Never holds a name or an address of mail: the object id is the key to those.
"""

from dataclasses import dataclass

from gateway.store.names import SessionRef


@dataclass(frozen=True, slots=True)
class Subject:
    """A person of a tenant by object id, and the reference of the session."""

    tid: str
    oid: str
    ref: SessionRef
