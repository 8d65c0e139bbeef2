"""The authority's own end of a session: where it is, and from which pages it may show ours.

Owns the address of OpenID Connect RP-Initiated Logout 1.0, section 2, and what stands in for it without metadata.
Never ends a session of ours, and never fails because of the authority: whoever signs out is signed out here already.
"""

import logging
import secrets
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode, urlsplit

from gateway.errors import SessionStoreUnavailable
from gateway.flows.login_hint import login_hint
from gateway.session.sessions import LiveSession
from gateway.settings import Settings
from gateway.store.names import digest_of
from gateway.store.single_records import SingleRecords
from gateway.store.stored_form import read_record, write_record
from gateway.store.vault import Vault
from gateway.tokens.token_records import ID_TOKEN
from servicekit.discovery import Discovery
from servicekit.errors import AuthorityUnavailable, Misconfigured
from servicekit.logs import log_event

PAGE: Final = "/auth/end-session"
TICKET_SECONDS: Final = 60
_LONGEST_TICKET: Final = 64
_KIND: Final = "end-session"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EndSessionForm:
    """A logout request (section 2): the authority's endpoint, and the parameters."""

    endpoint: str
    fields: dict[str, str]


async def end_session_url(
    discovery: Discovery, settings: Settings, session: LiveSession | None, home: str = ""
) -> str:
    """Return where to send the browser after signing out; `session` is the one that ended, if there was one.

    Without metadata it is `home`, our own first page unless somebody wants to go elsewhere: the person is signed out
    here, and the authority keeps its session.
    Entra's `logout_hint` takes only the opaque `login_hint` claim; the ID token is never put into a URL.
    """
    form = await _request(discovery, settings, session)
    if form is None:
        return home or f"{settings.public_url}/"
    return f"{form.endpoint}{'&' if '?' in form.endpoint else '?'}{urlencode(form.fields)}"


async def _request(
    discovery: Discovery, settings: Settings, session: LiveSession | None
) -> EndSessionForm | None:
    """Return the logout request; None where the authority has no such endpoint, or cannot be asked for it."""
    try:
        endpoint = (await discovery.metadata()).end_session_endpoint
    except (AuthorityUnavailable, Misconfigured) as error:
        log_event(_log, logging.WARNING, "sign-out-without-authority", fault_kind=type(error).__name__)
        return None
    if endpoint is None:
        return None
    fields = {"post_logout_redirect_uri": f"{settings.public_url}/", "client_id": settings.client_id}
    if session and (hint := login_hint(session.user.claims)):
        fields["logout_hint"] = hint
    return EndSessionForm(endpoint, fields)


class EndSession:
    """Where a browser goes after signing out: to the authority at once, or by a page of ours that posts a form.

    The latter where a setting says that the authority wants to see the ID token: it goes in the body of that form, and
    until the browser has fetched the page it lies sealed under a ticket, for a minute.
    """

    def __init__(self, discovery: Discovery, settings: Settings, vault: Vault) -> None:
        self._discovery = discovery
        self._settings = settings
        self._records = SingleRecords(vault)

    async def redirect(self, session: LiveSession | None, home: str = "") -> str:
        """Return where to send the browser; `session` has ended, and what was read of it is still known.

        `home` is where it wants to end, an absolute address; nothing for our first page.
        """
        if session is None or not self._settings.id_token_hint:
            return await end_session_url(self._discovery, self._settings, session, home)
        id_token = await session.records.get(ID_TOKEN)
        form = await _request(self._discovery, self._settings, session)
        if id_token is None or form is None:
            return await end_session_url(self._discovery, self._settings, session, home)
        whole = replace(form, fields={**form.fields, "id_token_hint": id_token.decode()})
        ticket = secrets.token_urlsafe(32)
        try:
            await self._records.put(
                _KIND, digest_of(ticket), write_record(whole), ttl=TICKET_SECONDS, secret=ticket.encode()
            )
        except SessionStoreUnavailable:
            # Signed out here already: the authority asks one question more.
            return await end_session_url(self._discovery, self._settings, session, home)
        # A page of another origin may not navigate here unless it says where it goes.
        query = {"ticket": ticket, **({"return_to": home} if home else {})}
        return f"{self._settings.public_url}{PAGE}?{urlencode(query)}"

    async def form(self, ticket: str) -> EndSessionForm | None:
        """Return the form that a ticket stands for, once; None where there is none any more.

        Raises SessionStoreUnavailable.
        """
        if not (0 < len(ticket) <= _LONGEST_TICKET and ticket.isascii()):
            return None
        stored = await self._records.take(_KIND, digest_of(ticket), secret=ticket.encode())
        return read_record(EndSessionForm, stored)


async def authority_origins(discovery: Discovery, settings: Settings) -> list[str]:
    """Return the authority's origins, sorted: those that may show our logout page in a frame."""
    metadata = await discovery.metadata_if_known()
    endpoint = metadata.end_session_endpoint if metadata else None
    return sorted({_origin(url) for url in (settings.discovery_url, endpoint) if url})


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
