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
from gateway.endpoints import activity, auth, events, health, logout, parked, profile, session
from gateway.settings import Settings

# Whatever the settings are.
_ALWAYS: Final = (
    *session.ROUTES,
    *activity.ROUTES,
    *events.ROUTES,
    *profile.ROUTES,
    *parked.ROUTES,
    *openapi.ROUTES,
    *health.ROUTES,
)


def served(settings: Settings, pages: SpaFiles | FrontEndFiles) -> Iterator[Route]:
    """Yield the rows that are served."""
    yield from auth.routes(settings.response_mode)
    yield from logout.routes(backchannel=settings.backchannel_logout)
    yield from _ALWAYS
    yield from pages.routes(change_password_url=settings.change_password_url)


@cache
def description() -> bytes:
    """Return the API's description, of what settings switch off too; drawn once in a process."""
    return openapi.drawn((*auth.ROUTES, *logout.ROUTES, *_ALWAYS))
