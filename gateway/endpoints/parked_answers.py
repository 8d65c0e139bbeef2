"""The members of what is answered of requests to upstreams: those that wait, and whatever another team's API says.

Never knows how an answer comes about.
"""

from typing import Annotated, Any, Final, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from gateway.endpoints.answers import Identifier, Time
from servicekit.operations import NamedSchema

# The text below a member is what the description says of it.
_described = with_config(ConfigDict(use_attribute_docstrings=True))

ANYTHING: Final = "*/*"
"""The type of a body that is another team's."""
ANY_BODY: Final = NamedSchema(
    "UpstreamBody", {"description": "Whatever the upstream takes or answers, of any type."}
)


class ParkedHandle(TypedDict):
    """A request that waits for its person."""

    id: Identifier
    expires_at: Time


MemberChange = TypedDict(
    "MemberChange",
    {
        "field": Annotated[
            str,
            Field(
                description="The member, by its JSON Pointer without the slash in front: `title`, `address/city`."
            ),
        ],
        "from": Any,
        "to": Any,
    },
)


@_described
class Parked(TypedDict):
    """What a request that waits will do."""

    id: Identifier
    upstream: str
    """For which API it is: the name of its row; `profile` for an edit of the profile."""
    method: str
    path: str
    """As the browser asked it, with its query."""
    content_type: str | None
    """Of its body; null where it says none."""
    changes: NotRequired[list[MemberChange]]
    """Of a merge patch, what it changes of the resource as that is now; null stands for a member that is not there.

    Absent of other requests, and where the resource could not be read."""
    expires_at: Time
