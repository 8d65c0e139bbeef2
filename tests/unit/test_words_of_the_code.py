"""The code speaks the words of the glossary, and none that a reader from outside would have to translate."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.stage.sources import ROOT, Module, modules

JUDGED: Final = ("gateway", "resource_api", "servicekit", "local_tenant", "devstack", "stepup")
TRANSLATED: Final = {
    "journey": "flow",
    "journeys": "flows",
    "lately": "recently",
    "ring": "middleware",
    "rings": "middlewares",
    "told": "a noun: answer, reason, sentence",
}
IN_SENTENCES: Final = ("journey", "journeys", "lately")
"""What no comment, docstring or text says either; the others are plain English where they are no names."""
RING_OF_KEYS: Final = "the sealing keys, or the tenant's: a ring of keys"
ALLOWED_NAMES: Final = {  # by file, or by the folder that it lies in
    ("gateway/limiting.py", "journeys_per_minute"): "the setting's name is public",
    ("gateway/settings.py", "journeys_per_minute"): "the same",
    ("gateway/tokens/token_records.py", "told"): "a member of a record that lies in Redis",
    ("gateway/tokens/refresh.py", "told"): "the same",
    ("gateway/doctor/proxies.py", "ring"): RING_OF_KEYS,
    ("gateway/doctor/redis_server.py", "ring"): RING_OF_KEYS,
    ("gateway/limiting.py", "ring"): RING_OF_KEYS,
    ("gateway/settings.py", "ring"): RING_OF_KEYS,
    ("gateway/store", "ring"): RING_OF_KEYS,
    ("gateway/store", "_ring"): RING_OF_KEYS,
    ("local_tenant/admin.py", "ring"): RING_OF_KEYS,
}
ALLOWED_TEXTS: Final = {
    "JOURNEYS_PER_MINUTE": "the setting's name is public",
    "journeys_per_minute": "its field",
    "stepup_journeys": "the metric's name is public",
    "JourneyProblem": "the schema's name in the published description",
    "/journeys/": "an address of the local tenant's pages",
    "browser journeys": "what a person does with the whole product: tests/real/journeys",
}


def words_of(name: str) -> list[str]:
    """Return the words that a name is made of, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names_in(tree: ast.Module) -> Iterator[str]:
    """Yield every name that is defined or used, with repetitions."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name


def places_of(module: Module) -> tuple[str, str]:
    """Return the file's path and its folder's."""
    return module.path, module.path.rpartition("/")[0]


def breaches(module: Module, text: str) -> Iterator[str]:
    """Yield a sentence for every word that is to be another."""
    for name in sorted(set(names_in(module.tree))):
        if name == "KeyRing" or any((place, name) in ALLOWED_NAMES for place in places_of(module)):
            continue
        for word in words_of(name):
            if word in TRANSLATED:
                yield f"{module.path}: {name} says {word} for {TRANSLATED[word]}"
    for allowed in ALLOWED_TEXTS:
        text = text.replace(allowed, "")
    for number, line in enumerate(text.splitlines(), 1):
        for word in words_of(line):
            if word in IN_SENTENCES:
                yield f"{module.path}, line {number}: {word} for {TRANSLATED[word]}"


def judged(root: Path) -> list[str]:
    """Return the breaches of the packages below `root` that are judged."""
    return [
        breach
        for module in modules(root)
        if module.room in JUDGED
        for breach in breaches(module, (root / module.path).read_text(encoding="utf-8"))
    ]


def test_the_code_has_one_word_for_one_thing() -> None:
    assert judged(ROOT) == []


@pytest.mark.parametrize(
    "source",
    [
        "class JourneyLimit: ...\n",
        "JOURNEY = 1\n",
        "def guard_ring() -> None: ...\n",
        "async def ring() -> None: ...\n",
        "from gateway.edge.guard import guard_rings\n",
        "app = application(rings=[])\n",
        "told = 1\n",
        "def tell(told: str) -> None: ...\n",
        "try:\n    ...\nexcept ValueError as told:\n    ...\n",
        "answer.told = 1\n",
        "# Saved lately, and shown.\n",
        '"""A journey to the authority."""\n',
    ],
)
def test_a_word_that_is_to_be_another_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "late.py").write_text(source)

    assert len(judged(tmp_path)) > 0


@pytest.mark.parametrize(
    "source",
    [
        "from gateway.store.sealing import KeyRing\n",
        "# The person is told; a string of keys on a ring.\n",
        'LIMIT = "GATEWAY_JOURNEYS_PER_MINUTE"\n',
        "strings = retold = 1\n",
    ],
)
def test_other_things_keep_their_words(tmp_path: Path, source: str) -> None:
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "late.py").write_text(source)

    assert judged(tmp_path) == []


def test_nothing_is_allowed_that_is_not_there() -> None:
    ours = [module for module in modules(ROOT) if module.room in JUDGED]
    names = {
        (place, name) for module in ours for name in names_in(module.tree) for place in places_of(module)
    }
    texts = "".join((ROOT / module.path).read_text(encoding="utf-8") for module in ours)

    assert ALLOWED_NAMES.keys() - names == set()
    assert [text for text in ALLOWED_TEXTS if text not in texts] == []
