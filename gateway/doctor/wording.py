"""How the doctor of the gateway words what both services' doctors say.

Owns the names of its settings and of its registration, in the explanations that they share; never looks at anything.
"""

from typing import Final

from gateway.settings import PREFIX
from servicekit.doctor.explanations import Wording

_OWNER: Final = "the gateway's"

WORDING: Final = Wording(PREFIX, _OWNER)
FOR_READING: Final = Wording(
    PREFIX,
    _OWNER,
    "Compare GATEWAY_GRAPH_SCOPE with Microsoft Graph's delegated permissions: it is the scope with which the profile "
    "is read, User.Read as a rule, and stands under App registrations > (the gateway's) > API permissions.",
)
FOR_EDITING: Final = Wording(
    PREFIX,
    _OWNER,
    "Compare GATEWAY_EDIT_PROFILE_SCOPE with App registrations > (the API's) > Expose an API: Application ID URI, "
    "a slash, and the scope's name.",
)


def for_upstream(name: str) -> Wording:
    """Return the words for the scope of an upstream's row."""
    return Wording(
        PREFIX,
        _OWNER,
        f"Compare the scope of the row {name} with App registrations > (the API's) > Expose an API: Application ID "
        "URI, a slash, and the scope's name; and let it stand under (the gateway's) > API permissions.",
    )
