"""The authority's own end of a session: where the browser goes, and whose pages may show ours."""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import pytest

from gateway.flows.end_session import authority_origins, end_session_url
from gateway.session.sessions import SessionStore
from gateway.settings import Settings
from servicekit.discovery import AuthorityMetadata, IssuerMismatch
from servicekit.errors import AuthorityUnavailable
from tests.stage.world import gateway_settings
from tests.unit.gateway.store_of_tests import begun

ENDPOINT = "https://login.example.com/tenant/logout"


class Knowing:
    """Stands where the discovery does: knows one document, or cannot have any."""

    def __init__(self, known: AuthorityMetadata | Exception) -> None:
        self._known = known

    async def metadata(self) -> AuthorityMetadata:
        """Return it, or raise."""
        if isinstance(self._known, Exception):
            raise self._known
        return self._known

    async def metadata_if_known(self) -> AuthorityMetadata | None:
        """Return it, or None."""
        return None if isinstance(self._known, Exception) else self._known


def knowing(endpoint: str | None) -> Any:
    return Knowing(AuthorityMetadata("i", "j", "a", "t", endpoint))


@pytest.fixture
def settings() -> Settings:
    return gateway_settings(PUBLIC_URL="https://app.example", REDIS_URL="redis://localhost")


HOME = "https://app.example/"


def query_of(url: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(url.query, keep_blank_values=True))


def without_hint(settings: Settings) -> dict[str, str]:
    return {"post_logout_redirect_uri": HOME, "client_id": settings.client_id}


async def test_S19_the_authority_is_told_where_to_send_the_browser_and_who_asks(settings: Settings) -> None:
    url = urlsplit(await end_session_url(knowing(ENDPOINT), settings, None))

    assert url._replace(query="").geturl() == ENDPOINT
    assert query_of(url) == without_hint(settings)


async def test_S19_the_hint_says_who_signs_out_and_is_no_token(
    settings: Settings, sessions: SessionStore
) -> None:
    session = await begun(sessions, claims={"login_hint": "O.opaque+/odd=="})

    url = urlsplit(await end_session_url(knowing(ENDPOINT), settings, session))

    assert query_of(url) == without_hint(settings) | {"logout_hint": "O.opaque+/odd=="}


@pytest.mark.parametrize(
    "claims",
    [{}, {"login_hint": ""}, {"login_hint": 7}, {"login_hint": None}, {"login_hint": "ada@example.com"}],
    ids=str,
)
async def test_without_the_claim_there_is_no_hint(
    settings: Settings, sessions: SessionStore, claims: dict[str, Any]
) -> None:
    session = await begun(sessions, claims=claims)

    url = urlsplit(await end_session_url(knowing(ENDPOINT), settings, session))

    assert query_of(url) == without_hint(settings)


async def test_an_address_with_a_query_keeps_it(settings: Settings) -> None:
    url = await end_session_url(knowing(f"{ENDPOINT}?p=policy"), settings, None)

    assert url.startswith(f"{ENDPOINT}?p=policy&post_logout_redirect_uri=")


@pytest.mark.parametrize("error", [AuthorityUnavailable("away"), IssuerMismatch("another")], ids=repr)
async def test_R16_whoever_signs_out_comes_home_whatever_the_authority_does(
    settings: Settings, error: Exception
) -> None:
    failing: Any = Knowing(error)

    assert await end_session_url(failing, settings, None) == HOME
    assert await end_session_url(knowing(None), settings, None) == HOME


async def test_S20_the_authoritys_pages_may_show_ours(settings: Settings) -> None:
    there = urlsplit(settings.discovery_url)
    own = f"{there.scheme}://{there.netloc}"
    away: Any = Knowing(AuthorityUnavailable("away"))

    assert await authority_origins(knowing("https://a.example:8443/x?y"), settings) == sorted(
        [own, "https://a.example:8443"]
    )
    assert await authority_origins(knowing(f"{own}/logout"), settings) == [own]
    assert await authority_origins(knowing(None), settings) == [own]
    assert await authority_origins(away, settings) == [own]
