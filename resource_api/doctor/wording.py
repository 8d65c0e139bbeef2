"""How the doctor of the resource API words what both services' doctors say.

Owns the names of its settings and of its registration, in the explanations that they share; never looks at anything.
"""

from typing import Final

from resource_api.settings import PREFIX
from servicekit.doctor.explanations import Wording

_OWNER: Final = "the API's"

WORDING: Final = Wording(
    PREFIX,
    _OWNER,
    "Compare RESOURCE_API_CLIENT_ID with App registrations > (the API's) > Expose an API: the Application ID URI is "
    "api:// and this id.",
)
FOR_SCOPE: Final = Wording(
    PREFIX,
    _OWNER,
    "Compare RESOURCE_API_SCOPE with App registrations > (the API's) > Expose an API: it is the scope's name alone, "
    "without the Application ID URI; and RESOURCE_API_CLIENT_ID with that page's URI.",
)
