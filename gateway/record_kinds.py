"""Every kind of record that a session may hold.

Owns the list, which whoever replaces a session goes through; each kind says of itself whether it survives a step-up.
Never reads or writes one.
"""

from typing import Final

from gateway.flows.step_up import ACCEPTED, CHALLENGE, DEMANDED
from gateway.profile.recently_saved import SAVED
from gateway.proxy.parked_form import PARKED
from gateway.proxy.parked_requests import SENDING
from gateway.proxy.repeats import ANSWER
from gateway.tokens.token_records import CACHE, GRANTED, ID_TOKEN, REFUSAL, REPLACED, TOKEN

RECORD_KINDS: Final = (
    TOKEN,
    REFUSAL,
    REPLACED,
    CACHE,
    ID_TOKEN,
    GRANTED,
    CHALLENGE,
    DEMANDED,
    ACCEPTED,
    PARKED,
    SENDING,
    SAVED,
    ANSWER,
)
