"""Every route of the gateway: what its API's description tells of, and what of it the settings let be served.

Never says who may call one, or what it answers: the rows beside the handlers do.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from gateway import openapi
from gateway.edge.front_end_files import FrontEndFiles
from gateway.edge.guard import Route
from gateway.edge.spa_files import SpaFiles
from gateway.endpoints import (
    activity,
    auth,
    events,
    health,
    logout,
    parked,
    parked_edits,
    profile,
    session,
    upstreams,
)
from gateway.flows.after_sign_out import leading_on
from gateway.settings import Settings
from gateway.upstream_rows import UpstreamRow

ALWAYS: Final = (
    *session.ROUTES,
    *activity.ROUTES,
    *events.ROUTES,
    *profile.ROUTES,
    *parked_edits.ROUTES,
    *parked.ROUTES,
    *openapi.ROUTES,
    *health.ROUTES,
)
"""The rows that there are whatever the settings say."""


def served(settings: Settings, pages: SpaFiles | FrontEndFiles) -> Iterator[Route]:
    """Yield the rows that are served."""
    yield from auth.routes(settings.response_mode)
    yield from logout.routes(backchannel=settings.backchannel_logout)
    yield from ALWAYS
    for row in pages.routes(change_password_url=settings.change_password_url):
        yield leading_on(row) if row.path == "/" else row


@cache
def description(rows: tuple[UpstreamRow, ...] = ()) -> bytes:
    """Return the API's description, with these upstreams and of what settings switch off too; drawn once for each."""
    actions = tuple(row.name for row in rows if row.scope)
    return openapi.drawn(
        (*auth.described(actions), *logout.ROUTES, *ALWAYS, *upstreams.described(rows)), actions
    )
