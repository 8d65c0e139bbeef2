"""The typed keys under which the application keeps what handlers and the operators' side ask it for.

Owns their names and types. Never makes what they stand for: `app.py` does.
"""

from collections.abc import Callable
from typing import Final

from aiohttp import web

from gateway.audit.activity import Activity
from gateway.audit.recorder import Audit
from gateway.edge.client_address import ClientAddresses
from gateway.edge.limits import RateLimits
from gateway.flows.arrivals import Arrivals
from gateway.flows.end_session import EndSession
from gateway.flows.flow import AuthFlow, CompletedFlow
from gateway.flows.flow_record import FlowStore
from gateway.flows.logout import Logout
from gateway.flows.step_up import StepUps
from gateway.metrics import Metrics
from gateway.profile.edits import ProfileEdits
from gateway.proxy.confirmed_requests import ConfirmedRequests
from gateway.proxy.forward import Forwarder
from gateway.proxy.interruptions import Interruptions
from gateway.proxy.parked_changes import ParkedChanges
from gateway.proxy.parked_requests import ParkedRequests
from gateway.proxy.websocket import WebSockets
from gateway.session.cookie_marks import CookieMarks
from gateway.session.event_streams import EventStreams
from gateway.session.own_sessions import OwnSessions
from gateway.session.sessions import SessionStore
from gateway.settings import Settings
from gateway.store.vault import Vault
from servicekit.client_credential import CredentialSource
from servicekit.discovery import Discovery

SETTINGS: Final = web.AppKey("settings", Settings)
SESSIONS: Final = web.AppKey("sessions", SessionStore)
AUTH_FLOW: Final = web.AppKey("auth_flow", AuthFlow)
EDITS: Final = web.AppKey("edits", ProfileEdits)
PARKED_REQUESTS: Final = web.AppKey("parked_requests", ParkedRequests)
INTERRUPTIONS: Final = web.AppKey("interruptions", Interruptions)
PARKED_CHANGES: Final = web.AppKey("parked_changes", ParkedChanges)
CONFIRMED_REQUESTS: Final = web.AppKey("confirmed_requests", ConfirmedRequests)
STEP_UPS: Final = web.AppKey("step_ups", StepUps)
DISCOVERY: Final = web.AppKey("discovery", Discovery)
END_SESSION: Final = web.AppKey("end_session", EndSession)
LOGOUT: Final = web.AppKey("logout", Logout)
VAULT: Final = web.AppKey("vault", Vault)
EVENT_STREAMS: Final = web.AppKey("event_streams", EventStreams)
OWN_SESSIONS: Final = web.AppKey("own_sessions", OwnSessions)
CLIENT_ADDRESSES: Final = web.AppKey("client_addresses", ClientAddresses)
COOKIE_MARKS: Final = web.AppKey("cookie_marks", CookieMarks)
RATE_LIMITS: Final = web.AppKey("rate_limits", RateLimits)
METRICS: Final = web.AppKey("metrics", Metrics)
CREDENTIAL: Final[web.AppKey[CredentialSource]] = web.AppKey("credential")
ARRIVALS: Final[web.AppKey[Arrivals[CompletedFlow]]] = web.AppKey("arrivals")
FLOWS: Final = web.AppKey("flows", FlowStore)
AUDIT: Final = web.AppKey("audit", Audit)
ACTIVITY: Final = web.AppKey("activity", Activity)
CLOCK: Final[web.AppKey[Callable[[], float]]] = web.AppKey("clock")
WEBSOCKETS: Final = web.AppKey("websockets", WebSockets)
FORWARDER: Final = web.AppKey("forwarder", Forwarder)
