"""The tenant's addresses: registered as browsers, and so the gateway, write them."""

import pytest

from local_tenant.settings import Settings


@pytest.mark.parametrize(
    "written, registered",
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("HTTP://LOCALHOST:3000/", "http://localhost:3000"),
        ("http://localhost:80", "http://localhost"),
        ("https://App.Example:443/", "https://app.example"),
        ("https://app.example:8443", "https://app.example:8443"),
        ("http://app.example:443", "http://app.example:443"),
    ],
)
def test_X3_what_is_registered_is_the_browser_s_spelling(written: str, registered: str) -> None:
    settings = Settings(allow_remote=True, gateway_url=written, public_url=written)

    assert settings.values()["GATEWAY_URL"] == registered
    assert settings.browser_url == registered
