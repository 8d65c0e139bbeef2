"""What requests hold beside their bodies, where several routes ask for the same.

Owns the words in which the API's description tells of it.
Never reads a request.
"""

from typing import Annotated, Final

from pydantic import Field

from gateway.flows.flow_record import LONGEST_PATH
from servicekit.operations import Parameter

RETURN_TO: Final = Parameter(
    "return_to",
    "query",
    "A path of the front end to come back to, or an address of an origin that GATEWAY_ALLOWED_ORIGINS names. Anything "
    "else, and whatever of the gateway's own lies under /auth, /api, /health, /metrics or /problem, counts as `/`.",
    Annotated[
        str,
        # Beside pydantic, whose patterns look neither ahead nor behind.
        Field(
            max_length=LONGEST_PATH, json_schema_extra={"pattern": r"^(/(?![/\\])|https?://)", "default": "/"}
        ),
    ],
)
