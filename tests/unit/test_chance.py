"""No test falls by chance, as far as its source shows.

Owns the shapes that have failed once in some hundred runs. A text that is drawn at random, such as an id, a hash or a
sealed record, holds any three letters of base64 once in some hundred to some thousand runs.
"""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.stage.sources import ROOT, Module, modules

_OF_RANDOM_TEXT: Final = re.compile(r"[\w-]{1,3}|[0-9a-f]{4}", re.ASCII)
# Whether a file is worth parsing.
_LOOKS_SO: Final = re.compile(r"""[\w-]{1,4}["'] not in """)
# What is looked up by name there, and is no text.
_MAPPINGS: Final = re.compile(r"(^|\.)claims(_of\(.*\))?$|\['responses'\]$|^read$")


def by_chance(module: Module) -> Iterator[str]:
    """Yield each assertion or loop that a few random letters make false."""
    for node in ast.walk(module.tree) if _LOOKS_SO.search(module.text) else ():
        match node:
            case ast.Compare(
                ops=[ast.NotIn()], left=ast.Constant(value=str() | bytes() as few), comparators=[text]
            ):
                few = few.decode() if isinstance(few, bytes) else few
                if (
                    _OF_RANDOM_TEXT.fullmatch(few)
                    and not isinstance(text, ast.Tuple | ast.List | ast.Set | ast.Dict)
                    and not _MAPPINGS.search(ast.unparse(text))
                ):
                    yield f"{module.path}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    "line, is_by_chance",
    [
        ("while b'ada' not in path.read_bytes(): pass", True),
        ("assert '401' not in answer.text", True),
        ("assert 'beef' not in digest", True),
        ("assert 'eyJ' not in page", True),
        ("assert b'\"ada\"' not in path.read_bytes()", False),
        ("assert ' 401 ' not in answer.text", False),
        ("assert 'Lovelace' not in heard", False),
        ("assert 'azp' not in claims", False),
        ("assert 'x' not in ('y', 'z')", False),
    ],
)
def test_a_few_letters_that_must_not_be_in_a_text_are_noticed(line: str, *, is_by_chance: bool) -> None:
    assert bool([*by_chance(Module("tests/made_up.py", line))]) == is_by_chance


def test_no_test_waits_for_or_forbids_letters_that_chance_writes_as_well() -> None:
    tests = [module for module in modules(ROOT) if module.room == "tests"]

    assert tests
    assert [found for module in tests for found in by_chance(module)] == []
