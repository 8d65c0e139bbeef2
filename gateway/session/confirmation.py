"""One confirmation of who the person is, as a session remembers it.

Owns its form. Never says what it is good for: `gateway/flows/confirmations.py` does.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The last one for a resource, `at` whole seconds since 1970, UTC.

    `in_vain` is how many in a row, this one among them, are not known to have brought a token that the resource
    accepts.
    """

    at: int
    in_vain: int = 0
