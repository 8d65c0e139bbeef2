"""The rows of GATEWAY_UPSTREAMS: which APIs are lent the session, the token and the step-up, and how.

Owns the form of a row. Reads the file once, at start, and never asks an upstream anything.
"""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

LARGEST_BODY: Final = 1_048_576
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


class UpstreamRow(BaseModel):
    """One row; every member stands in docs/reference/upstreams.md.

    `prefix` is a path of ours, `target` the address that takes its place. `scope` is that of the token which is
    attached; without one there is no token, but still a session, unless the row is `anonymous`. `max_age` (s) is how
    long a confirmation is good, `timeout` (s) how long the head of an answer may take, `max_body` is in bytes. `reads`
    is a path of ours, of a row with GET: by it the resource is read that a merge patch of this row changes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    prefix: str
    target: str
    methods: tuple[str, ...] = ("GET", "HEAD")
    scope: str | None = None
    anonymous: bool = False
    park: bool = False
    max_age: Annotated[int, Field(ge=1, le=604_800)] | None = None
    websocket: bool = False
    timeout: Annotated[float, Field(gt=0, le=600)] = 30
    max_body: Annotated[int, Field(ge=0)] = LARGEST_BODY
    cache: bool = False
    allow_http: bool = False
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    reads: str | None = None
