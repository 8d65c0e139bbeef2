"""A parked request whose person confirms it: sent once, and answered with what its upstream answers.

Owns what becomes of it then: done, waiting on, or gone because nobody knows.
Never decides how it is sent (`forward.py`), and never sends one that nobody confirmed.
"""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from gateway.counts import Counts
from gateway.errors import NotFound, StepUpRequired
from gateway.proxy.forward import Answered, Forwarder, Interrupted
from gateway.proxy.interruptions import Interruptions
from gateway.proxy.parked_form import ParkedRequest
from gateway.proxy.parked_requests import GONE, Claim, ParkedRequests
from gateway.proxy.paths import UpstreamPaths
from gateway.proxy.relay import UpstreamAnswer
from gateway.session.sessions import LiveSession
from gateway.upstream_rows.row import UpstreamRow
from servicekit.errors import UNKNOWN
from servicekit.problems import ProblemError

# The upstream took nothing, for a reason that passes: it did not believe the token, would not risk a replay (RFC 8470),
# or was asked too often (RFC 6585).
_NOT_TAKEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class ConfirmedRequests:
    """Sends them by `forwarder`, each to the row that has its path and its name."""

    def __init__(
        self,
        parked: ParkedRequests,
        interruptions: Interruptions,
        forwarder: Forwarder,
        paths: UpstreamPaths,
        counts: Counts,
    ) -> None:
        self._parked = parked
        self._interruptions = interruptions
        self._forwarder = forwarder
        self._paths = paths
        self._counts = counts

    async def answer(self, request: web.Request, session: LiveSession, identifier: str) -> web.StreamResponse:
        """Send a parked request, once, and answer what its upstream answers.

        It waits on after a further step-up, where it certainly was not sent, and where its upstream took nothing for
        now. Raises NotFound, EditInProgress, and what `Forwarder.resend` raises; nothing after the answer began.
        """
        async with self._parked.claimed(session, identifier) as claim:
            row = self._row_of(claim.request)
            await claim.begin()
            try:
                response = await self._forwarder.resend(
                    request,
                    session,
                    row,
                    claim.request,
                    interrupted=self._interrupted(claim),
                    answered=self._answered(claim),
                )
            except ProblemError as problem:
                is_unknown = problem.members.get("outcome") == UNKNOWN
                self._counts.parked(row.name, "unknown" if is_unknown else "not-sent")
                raise
            return response

    def _row_of(self, parked: ParkedRequest) -> UpstreamRow:
        """Return the row that a parked request is for; raises NotFound where the rows have changed meanwhile."""
        row = self._paths.rows_of(parked.path).get(parked.method)
        if row is None or row.name != parked.upstream:
            raise NotFound(GONE)
        return row

    def _interrupted(self, claim: Claim) -> Interrupted:
        async def kept(required: StepUpRequired) -> StepUpRequired:
            return await self._interruptions.kept(claim.session, required, claim.request, claim=claim)

        return kept

    def _answered(self, claim: Claim) -> Answered:
        async def settled(answer: UpstreamAnswer) -> None:
            if is_taken(answer.status, has_retry_after=hdrs.RETRY_AFTER in answer.headers):
                self._counts.parked(claim.request.upstream, "sent")
                await claim.done()
            else:
                self._counts.parked(claim.request.upstream, "not-sent")
                await claim.withdraw()

        return settled


def is_taken(status: int, *, has_retry_after: bool) -> bool:
    """Tell whether an upstream did something with a request, or refused it for good, as far as its answer says."""
    return status not in _NOT_TAKEN and not (status == HTTPStatus.SERVICE_UNAVAILABLE and has_retry_after)
