"""The authority as a service sees it: its metadata, the door to its token endpoint, the judge of what it signed.

Owns how the three are made of the settings that both services have, and that the door is closed in the end.
Never asks the authority anything by itself.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from servicekit.authority_settings import AuthoritySettings
from servicekit.authority_transport import ANSWER_SECONDS, AuthorityTransport
from servicekit.client_credential import CredentialSource
from servicekit.clock_watch import ClockWatch
from servicekit.discovery import Discovery
from servicekit.entra import EntraClient
from servicekit.jwt_signatures import RS256, Proof, is_proven
from servicekit.jwt_verifier import TOKENS, JwtVerifier
from servicekit.last_known_good import KnownGoodStore
from servicekit.outbound import Outbound
from servicekit.signing_keys import SigningKeys


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority, for one app registration of ours."""

    discovery: Discovery
    entra: EntraClient
    verifier: JwtVerifier


def always_accepted(settings: AuthoritySettings) -> frozenset[str]:
    """Return the algorithms that are accepted whatever the metadata lists: Entra's tokens are signed by RS256."""
    return frozenset({RS256}) if settings.tenant_id else frozenset()


@contextmanager
def open_authority(
    settings: AuthoritySettings,
    network: Outbound,
    *,
    issuer: str,
    credential: CredentialSource,
    store: KnownGoodStore | None,
    now: Callable[[], float],
    monotonic: Callable[[], float],
    answer_seconds: float = ANSWER_SECONDS,
    is_plain: bool = False,
    offline_access: bool = True,
    insist_on: Collection[str] = (),
    on_request: Callable[[str, str, float], None] | None = None,
    on_pause: Callable[[bool], None] | None = None,
    on_clock: Callable[[str, int], None] | None = None,
    prove: Proof = is_proven,
) -> Iterator[Authority]:
    """Make the authority whose tokens name `issuer`, for as long as the block runs.

    `now` is the wall clock that tokens are judged by, `monotonic` the one that documents age by, and by which the
    token endpoint is left alone. `store` keeps metadata and keys for a later life. `answer_seconds` is what a
    token request may take. `on_clock` hears how many seconds this machine's clock is ahead of the authority's, and of
    that of its tokens. `prove` does the mathematics of a signature. The rest is what `EntraClient` and
    `AuthorityTransport` say of it.
    """
    discovery = Discovery(network, url=settings.discovery_url, issuer=issuer, now=monotonic, store=store)
    transport = AuthorityTransport(
        network,
        seconds=answer_seconds,
        clocks=ClockWatch(now=now, on_difference=partial(on_clock, "authority") if on_clock else None),
        on_request=on_request,
    )
    entra = EntraClient(
        client_id=settings.client_id,
        credential=credential,
        transport=transport,
        discovery=discovery,
        authority=settings.msal_authority,
        # MSAL compares the metadata's issuer with this, and fetches nothing from it.
        oidc_authority=settings.authority_issuer or settings.authority,
        is_plain=is_plain,
        offline_access=offline_access,
        insist_on=insist_on,
        now=monotonic,
        on_pause=on_pause,
    )
    keys = SigningKeys(network, discovery, now=monotonic, store=store, always=always_accepted(settings))
    verifier = JwtVerifier(
        keys,
        now=now,
        longest=settings.longest_token,
        clocks=ClockWatch(TOKENS, now=now, on_difference=partial(on_clock, "tokens") if on_clock else None),
        prove=prove,
    )
    try:
        yield Authority(discovery, entra, verifier)
    finally:
        entra.close()
