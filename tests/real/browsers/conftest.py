"""One WebKit for all tests of a worker: each start takes a second, and one in several fails on a busy computer."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.real.browsers.webkit import WebKit, running_webkit


@pytest.fixture(scope="session")
def webkit_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a browser's WebDriver session."""
    with running_webkit(tmp_path_factory.mktemp("webkit")) as session:
        yield session


@pytest.fixture
async def safari(webkit_session: str) -> AsyncIterator[WebKit]:
    """Return the browser, where nobody is signed in: no test leaves anybody so."""
    async with aiohttp.ClientSession() as client:
        yield WebKit(client, webkit_session)
