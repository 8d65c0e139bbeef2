"""Tests lie where they belong: by what they start, and those of one part beside nothing but that part.

tests/unit mirrors the sources and starts at most a Valkey; tests/product has the services in one process; tests/real
has processes, servers and browsers; tests/fuzz gives every reader of foreign text what nobody would write; tests/stage
has what tests stand on, and no test.
"""

import ast
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final

from tests.stage.sources import ROOT, Module, modules

FLOORS: Final = ("unit", "product", "real", "fuzz", "stage")
# What these fixtures give is the whole product, or a browser.
NOT_FOR_UNITS: Final = {"make_world", "stack", "shared_stack", "chromium", "new_context", "page"}
WHOLE_WORLD: Final = "tests.stage.world.World"
# Sources that are no Python: each has the folder of its tests.
OTHER_SOURCES: Final = {"spa"}
# About a library, as far as the package leans on it.
ABOUT_A_LIBRARY: Final = {"tests/unit/gateway/store/redis/test_internals.py"}

TESTS: Final = [module for module in modules(ROOT) if module.path.startswith("tests/")]
UNITS: Final = [module for module in TESTS if module.path.startswith("tests/unit/")]


def is_test(module: Module) -> bool:
    return PurePath(module.path).name.startswith("test_")


def fixtures(module: Module) -> Iterator[str]:
    """Yield the names of what its tests and its own fixtures take."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
            node.name.startswith("test_") or node.decorator_list
        ):
            yield from (argument.arg for argument in (*node.args.args, *node.args.kwonlyargs))


def imported(module: Module) -> set[str]:
    """Return everything that a file names in its imports."""
    names = set(module.imports())
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def folder(module: Module) -> PurePath:
    """Return where a unit test lies, below tests/unit."""
    return PurePath(module.path).parent.relative_to("tests/unit")


def test_every_test_is_on_one_of_the_floors() -> None:
    strays = [
        module.path
        for module in TESTS
        if is_test(module) and PurePath(module.path).parts[1] not in FLOORS[:-1]
    ]

    assert strays == []


def test_unit_tests_mirror_the_sources() -> None:
    """A folder of unit tests is called and placed like the package, or the part of the tests, that it is about."""
    folders = {folder(module) for module in UNITS if is_test(module)} - {PurePath()}
    unknown = [
        str(path) for path in folders if not (ROOT / path).is_dir() and not (ROOT / "tests" / path).is_dir()
    ]

    assert len(folders) > 5
    assert unknown == []


def test_a_unit_test_names_a_module_of_its_package_or_imports_from_it() -> None:
    for module in UNITS:
        path = folder(module)
        if not is_test(module) or not path.parts or path.parts[0] in OTHER_SOURCES:
            continue
        if module.path in ABOUT_A_LIBRARY:
            continue
        package = path if (ROOT / path).is_dir() else PurePath("tests") / path
        subject = PurePath(module.path).stem.removeprefix("test_")
        if (ROOT / package / f"{subject}.py").exists() or (ROOT / package / subject).is_dir():
            continue
        dotted = ".".join(package.parts)
        beside = [other for other in UNITS if folder(other) == path and not is_test(other)]
        reached = {
            name
            for one in (module, *beside)
            for name in imported(one)
            if name == dotted or name.startswith(f"{dotted}.")
        }
        assert reached, f"{module.path} has nothing to do with {dotted}"


def test_a_unit_test_takes_neither_the_product_nor_a_browser() -> None:
    takers = [
        module.path
        for module in UNITS
        if NOT_FOR_UNITS & set(fixtures(module)) or WHOLE_WORLD in imported(module)
    ]

    assert takers == []


def test_what_tests_stand_on_has_no_test() -> None:
    assert [
        module.path for module in TESTS if module.path.startswith("tests/stage/") and is_test(module)
    ] == []
