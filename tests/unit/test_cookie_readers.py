"""Cookies have one reader in each package: nothing else touches the `Cookie` header, or aiohttp's idea of it (A1)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import ROOT, Module, modules

ROOMS: Final = {"gateway", "servicekit", "resource_api", "local_tenant", "devstack", "stepup"}
READERS: Final = {"gateway/edge/cookies.py", "local_tenant/sso_cookie.py"}
# aiohttp's and aiohttp-session's readers, the standard library's, and the header by name.
NAMES: Final = {"cookies", "load_cookie", "parse_cookie_header", "SimpleCookie", "BaseCookie", "COOKIE"}


def breaches(root: Path) -> Iterator[str]:
    for module in modules(root):
        if module.room in ROOMS and module.path not in READERS:
            yield from (f"{module.path} reads {name}" for name in _touched(module))


def _touched(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in NAMES:
            yield node.attr
        elif isinstance(node, ast.Name) and node.id in NAMES - {"cookies", "COOKIE"}:
            yield node.id
        elif isinstance(node, ast.Call | ast.Subscript):
            asked = node.args if isinstance(node, ast.Call) else [node.slice]
            yield from (
                repr(one.value) for one in asked if isinstance(one, ast.Constant) and _is_header(one.value)
            )
        elif isinstance(node, ast.Import | ast.ImportFrom):
            named = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            yield from sorted({"http.cookies", "http.cookiejar"} & {name for name in named if name})


def _is_header(value: object) -> bool:
    return isinstance(value, str) and value.lower() == "cookie"


def test_A1_S12_cookies_are_read_in_one_place_of_a_package() -> None:
    assert list(breaches(ROOT)) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(request):\n    return request.cookies.get('a')",
        "def f(r):\n    x = r\n    return x.cookies",
        "def f(storage, request):\n    return storage.load_cookie(request)",
        "from aiohttp import hdrs\ndef f(request):\n    return request.headers[hdrs.COOKIE]",
        "def f(request):\n    return request.headers.get('Cookie')",
        "def f(request):\n    return request.headers.getall('cookie')",
        "from http.cookies import SimpleCookie",
        "import http.cookies",
        "from aiohttp._cookie_helpers import parse_cookie_header\nx = parse_cookie_header",
    ],
)
def test_A1_a_second_reader_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "odd.py").write_text(text, encoding="utf-8")

    assert next(breaches(tmp_path)).startswith("gateway/odd.py reads ")
