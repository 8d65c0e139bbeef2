"""What a parked merge patch would change, for its person to read before they confirm.

Owns how the resource is read that it changes: by whatever the request's row names as `reads`, with the session's token
and the rules of the row that is read. Sends nothing that changes anything.
Never fails because an upstream does, or asks for a confirmation of its own: then it is not known what would change,
and the person decides by what else is shown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import hdrs

from gateway.errors import SessionStoreUnavailable, SignInRequired
from gateway.proxy.exchange import Exchange, OutgoingRequest
from gateway.proxy.merge_patch import MemberChange, changes_of, is_merge_patch, json_object
from gateway.proxy.parked_form import PROFILE, ParkedRequest
from gateway.proxy.paths import UpstreamPaths, address_of, path_and_query
from gateway.session.sessions import LiveSession
from gateway.upstream_rows.row import UpstreamRow
from servicekit.outbound_error import OutboundError
from servicekit.problems import ProblemError

LARGEST_RESOURCE: Final = 262_144
"""Bytes: what a person can compare is far smaller."""
READ_SECONDS: Final = 5.0
"""For all of it: what else is known of the request is shown then, and the person does not wait for longer."""
_ASKED_FOR: Final = ((hdrs.ACCEPT, "application/json"), (hdrs.ACCEPT_ENCODING, "identity"))

OwnPage = Callable[[LiveSession], Awaitable[Mapping[str, Any]]]
"""What the gateway itself answers at a path, for a session."""


class ParkedChanges:
    """Compares; `exchanges` are those of the rows by name, `own` what the gateway answers itself, by path.

    `seconds` is how long reading a resource may take.
    """

    def __init__(
        self,
        paths: UpstreamPaths,
        exchanges: Mapping[str, Exchange],
        *,
        own: Mapping[str, OwnPage],
        seconds: float = READ_SECONDS,
    ) -> None:
        self._paths = paths
        self._exchanges = exchanges
        self._own = own
        self._seconds = seconds

    async def of(self, session: LiveSession, parked: ParkedRequest) -> list[MemberChange] | None:
        """Return what a parked request would change; None where that is not known.

        Raises SignInRequired and SessionStoreUnavailable: those are about the session, and not about the resource.
        """
        patch = _patch_in(parked)
        reads = self._read_by(parked) if patch is not None else None
        if patch is None or reads is None:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                resource = await self._resource(session, reads)
        except (SignInRequired, SessionStoreUnavailable):
            raise
        except (ProblemError, OutboundError, TimeoutError):
            return None
        return None if resource is None else changes_of(resource, patch)

    def _read_by(self, parked: ParkedRequest) -> str | None:
        """Return the path, and the query, by which the resource is read: what follows the prefix follows there, too."""
        if parked.upstream == PROFILE:
            return parked.path
        row = self._paths.rows_of(parked.path).get(parked.method)
        if row is None or row.name != parked.upstream or row.reads is None:
            return None
        path, query = path_and_query(parked.path)
        return row.reads + path.removeprefix(row.prefix) + query

    async def _resource(self, session: LiveSession, target: str) -> dict[str, Any] | None:
        if own := self._own.get(path_and_query(target)[0]):
            return dict(await own(session))
        row = self._paths.rows_of(target).get(hdrs.METH_GET)
        return await self._read(session, row, target) if row else None

    async def _read(self, session: LiveSession, row: UpstreamRow, target: str) -> dict[str, Any] | None:
        asked = OutgoingRequest(hdrs.METH_GET, address_of(row, target), _ASKED_FOR)
        reply = await self._exchanges[row.name].open(session, asked)
        try:
            is_json = _is_json(reply.headers.get(hdrs.CONTENT_TYPE, ""))
            if reply.status != HTTPStatus.OK or not is_json or hdrs.CONTENT_ENCODING in reply.headers:
                return None
            return json_object(await reply.whole(LARGEST_RESOURCE, self._seconds))
        finally:
            reply.close()


def _patch_in(parked: ParkedRequest) -> dict[str, Any] | None:
    if not is_merge_patch(parked.method, parked.content_type) or parked.header(hdrs.CONTENT_ENCODING):
        return None
    return json_object(parked.body)


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
