"""Where flows lead back to: a path of our own, a page of a named front end, and nowhere else (S9)."""

import pytest

from gateway.edge.origins import OurOrigins
from gateway.flows.return_address import HOME, absolute, return_address

APP = "https://app.example"
ORIGINS = OurOrigins("https://bff.example", [APP])


@pytest.mark.parametrize(
    "text, address",
    [
        ("/edit?x#y", "/edit?x#y"),
        ("/auth/sign-out", "/"),
        (None, "/"),
        ("", "/"),
        (APP, f"{APP}/"),
        (f"{APP}/", f"{APP}/"),
        (f"{APP}/notes/7?x=%20#y", f"{APP}/notes/7?x=%20#y"),
        (f"{APP}?x", f"{APP}/?x"),
        (f"{APP}#x", f"{APP}/#x"),
        (f"{APP}/a b", f"{APP}/a%20b"),
        (f"{APP}//evil.example", f"{APP}/"),
        (f"{APP}/%2f%2fevil.example", f"{APP}/"),
        (f"{APP}/{'e' * (512 - len(APP) - 1)}", f"{APP}/{'e' * (512 - len(APP) - 1)}"),
        (f"{APP}/{'e' * (512 - len(APP))}", f"{APP}/"),
        (f"{APP}.evil.example/", "/"),
        (f"{APP}@evil.example/", "/"),
        ("https://bff.example/edit", "/"),
        ("https://evil.example/", "/"),
    ],
)
def test_S9_an_address_is_ours_or_that_of_a_named_front_end(text: str | None, address: str) -> None:
    assert return_address(text, ORIGINS) == address


def test_an_address_of_our_own_pages_gets_our_origin_and_another_one_stays() -> None:
    assert HOME == "/"
    assert absolute("/edit", ORIGINS) == "https://bff.example/edit"
    assert absolute(f"{APP}/edit", ORIGINS) == f"{APP}/edit"
