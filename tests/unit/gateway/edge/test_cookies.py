"""The cookies of a request, however proxies hand the header on and whatever siblings put into it."""

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from gateway.edge.cookies import cookie_values, cookies


def read(*fields: str, name: str = "Cookie") -> dict[str, str]:
    """Read fields that are all called `name`."""
    headers = CIMultiDict([(name, field) for field in fields])
    return cookies(make_mocked_request("GET", "/", headers=headers))


@pytest.mark.parametrize(
    "fields, expected",
    [
        (("a=1", "b=2"), {"a": "1", "b": "2"}),
        (("a=1", "b=2", "c=3"), {"a": "1", "b": "2", "c": "3"}),
        (("a=1; b=2", "c=3"), {"a": "1", "b": "2", "c": "3"}),
        (("", "a=1"), {"a": "1"}),
        (("a=1", "", "b=2"), {"a": "1", "b": "2"}),
        (("a=1;", "b=2;"), {"a": "1", "b": "2"}),
        ((), {}),
        (("",), {}),
    ],
    ids=[
        "two",
        "three",
        "two and one",
        "an empty one first",
        "an empty one between",
        "closed",
        "none",
        "empty",
    ],
)
def test_X1_several_fields_are_one(fields: tuple[str, ...], expected: dict[str, str]) -> None:
    assert read(*fields) == expected


@pytest.mark.parametrize("name", ["cookie", "COOKIE", "cOOkie"])
def test_X1_the_fields_name_is_read_in_any_letters(name: str) -> None:
    assert read("a=1", "b=2", name=name) == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "foreign",
    [
        'f="',
        'f="x',
        '"',
        'f="a b',
        "f={x",
        "f=\\",
        "f=a, b",
        "expires=Wed, 09 Jun 2021 10:18:14 GMT",
        "=",
        "f",
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["before ours", "behind ours"])
def test_X1_a_foreign_cookie_hides_none_of_ours(foreign: str, order: int) -> None:
    assert read("; ".join([foreign, "ours=1", 'last="'][::order]))["ours"] == "1"
    assert read(*[foreign, "ours=1", 'last="'][::order])["ours"] == "1"


def test_a_value_is_taken_to_the_letter() -> None:
    assert read('a="1"; b=x=y; c=%20;d=\t1 2 ') == {"a": '"1"', "b": "x=y", "c": "%20", "d": "1 2"}


def test_only_blanks_and_tabs_are_taken_off() -> None:
    for letter in (chr(code) for code in range(0x21, 0x7F)):
        if letter not in ";=":
            assert read(f" \t{letter}a{letter}\t = \t{letter}1{letter}\t ") == {
                f"{letter}a{letter}": f"{letter}1{letter}"
            }


def test_a_name_is_taken_to_the_letter() -> None:
    assert read("A=1; a=2; __Host-a=3") == {"A": "1", "a": "2", "__Host-a": "3"}


@pytest.mark.parametrize("fields", [("a=1; a=2; b=3",), ("a=1", "a=1; b=3"), ("a=1; b=3", "a=")])
def test_a_name_that_is_there_twice_is_no_name(fields: tuple[str, ...]) -> None:
    assert read(*fields) == {"b": "3"}


def test_a_name_that_is_there_twice_is_there() -> None:
    request = make_mocked_request("GET", "/", headers={"Cookie": "a=1; a=2; c=3; b"})

    assert cookie_values(request, "a") == ["1", "2"]
    assert cookie_values(request, "c") == ["3"]
    assert cookie_values(request, "b") == []


def test_nobody_reads_cookies_by_another_way() -> None:
    gateway = Path(__file__).parents[4] / "gateway"
    others = re.compile(r"request\.cookies|hdrs\.COOKIE|\bload_cookie\(")

    assert [
        path.name for path in gateway.rglob("*.py") if others.search(path.read_text(encoding="utf-8"))
    ] == ["cookies.py"]
