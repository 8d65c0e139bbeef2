"""The two rows of upstreams that the gateway brings along: the profile, read from Graph, edited by the resource API.

Owns what of them follows from the settings, and how long each of the two may take.
Never sends anything. What the general way cannot say of the profile stands beside: its own answers (`fields.py`), what
is shown while replicas lag (`recently_saved.py`), and what a lost answer means (`saves.py`).
"""

from typing import Final, NamedTuple

from gateway.proxy.parked_form import PROFILE_PATH
from gateway.settings import Settings
from gateway.upstream_rows import UpstreamRow

READ: Final = "graph"
EDIT: Final = "resource-api"


class Patience(NamedTuple):
    """How long one call to each may take, in seconds."""

    read: float = 8
    edit: float = 25
    """The API itself reads back after a time-out, which takes longer than one call to Graph."""


PATIENCE: Final = Patience()


class ProfileRows(NamedTuple):
    """The row by which the profile is read, and the one by which it is edited."""

    read: UpstreamRow
    edit: UpstreamRow


def profile_rows(settings: Settings, patience: Patience = PATIENCE) -> ProfileRows:
    """Return the rows; the rules for those of an operator are not theirs: what they name is reserved for them."""
    return ProfileRows(
        UpstreamRow.model_construct(
            name=READ,
            prefix=PROFILE_PATH,
            target=f"{settings.graph_url.rstrip('/')}/me",
            methods=("GET",),
            scope=settings.graph_scope,
            timeout=patience.read,
        ),
        UpstreamRow.model_construct(
            name=EDIT,
            prefix=PROFILE_PATH,
            target=f"{settings.resource_api_url.rstrip('/')}/profile",
            methods=("PATCH",),
            scope=settings.edit_profile_scope,
            park=True,
            max_age=settings.step_up_max_age_seconds,
            timeout=patience.edit,
            reads=PROFILE_PATH,
        ),
    )
