"""Which origins are of one site, as browsers see it (Fetch Metadata's `same-site`)."""

import pytest

from gateway.edge.sites import is_same_site
from servicekit.web_address import read_web_address


def same(one: str, other: str) -> bool:
    """Ask in both directions."""
    first, second = read_web_address(one), read_web_address(other)
    assert is_same_site(first, second) == is_same_site(second, first)
    return is_same_site(first, second)


@pytest.mark.parametrize(
    "one, other",
    [
        ("https://app.example.com", "https://bff.example.com"),
        ("https://example.com", "https://bff.example.com"),
        ("https://a.b.c.example.com:8443", "https://bff.example.com"),
        ("https://app.example.co.uk", "https://bff.example.co.uk"),
        ("https://app.contoso.azurewebsites.net", "https://bff.contoso.azurewebsites.net"),
        ("http://localhost:5173", "http://localhost:3000"),
        ("http://127.0.0.1:5173", "http://127.0.0.1:3000"),
        ("http://[::1]:5173", "http://[::1]:3000"),
        ("https://10.0.0.7:8443", "https://10.0.0.7"),
        ("https://app.team.internal", "https://bff.team.internal"),
        ("https://mail.web.de", "https://app.web.de"),
        ("https://app.net.jp", "https://bff.net.jp"),
        ("https://app.eu.contoso.azurecontainerapps.io", "https://bff.eu.contoso.azurecontainerapps.io"),
        ("https://app.b\u00fccher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_S24_origins_of_one_registered_name_and_one_scheme_are_one_site(one: str, other: str) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("https://app.example.org", "https://bff.example.com"),
        ("https://example.com.evil.example", "https://bff.example.com"),
        ("https://evilexample.com", "https://example.com"),
        ("http://localhost:5173", "https://localhost:3000"),
        ("http://127.0.0.1:5173", "http://localhost:3000"),
        ("https://10.0.0.8", "https://10.0.0.7"),
        ("https://app.co.uk", "https://bff.co.uk"),
        ("https://app.com.au", "https://bff.com.au"),
        ("https://app.azurewebsites.net", "https://bff.azurewebsites.net"),
        ("https://app.1.azurestaticapps.net", "https://bff.1.azurestaticapps.net"),
        ("https://app.westeurope-01.azurewebsites.net", "https://bff.westeurope-01.azurewebsites.net"),
        ("https://app.org.pl", "https://bff.org.pl"),
        ("https://app.or.jp", "https://bff.or.jp"),
        ("https://app.github.io", "https://bff.github.io"),
        ("https://github.io", "https://bff.github.io"),
        ("https://app.internal", "https://bff.internal"),
        ("https://intranet", "https://bff"),
    ],
)
def test_S24_what_somebody_else_could_have_registered_is_another_site(one: str, other: str) -> None:
    assert not same(one, other)
