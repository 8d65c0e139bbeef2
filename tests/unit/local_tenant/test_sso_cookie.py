"""The single sign-on cookie is read to the letter: a neighbour's cookie neither hides it nor passes for it."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from local_tenant.sso_cookie import sso_handle


def read(*fields: str) -> str | None:
    headers = CIMultiDict([("Cookie", field) for field in fields])
    return sso_handle(make_mocked_request("GET", "/", headers=headers))


@pytest.mark.parametrize(
    "fields",
    [
        ("stand_in_sso=abc",),
        ("a=1; stand_in_sso=abc; b=2",),
        ("a=1", "stand_in_sso=abc"),
        (' a="1;\tstand_in_sso = abc\t; b="',),
        ("$Version=1; stand_in_sso=abc",),
        ("Stand_In_Sso=x; stand_in_sso=abc",),
    ],
)
def test_A1_S12_the_sso_cookie_is_found_beside_whatever_neighbours_set(fields: tuple[str, ...]) -> None:
    assert read(*fields) == "abc"


@pytest.mark.parametrize(
    "fields",
    [
        (),
        ("",),
        ("x=1 stand_in_sso=abc",),
        ("x=1\tstand_in_sso=abc",),
        ("x=1, stand_in_sso=abc",),
        ("\u2000stand_in_sso=abc",),
        ("\u00a0stand_in_sso=abc",),
        ("STAND_IN_SSO=abc",),
        ("stand_in_sso",),
        ("stand_in_sso=abc; stand_in_sso=abc",),
        ("stand_in_sso=abc", "stand_in_sso="),
    ],
)
def test_A1_S12_nothing_else_passes_for_it(fields: tuple[str, ...]) -> None:
    assert read(*fields) is None
