"""The Python files of this repository, as `ast` reads them, for tests that judge how the code is laid out."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS_OF_THE_GATEWAY: Final = frozenset(
    f"gateway.{room}"
    for room in (
        "store",
        "store.redis",
        "session",
        "tokens",
        "flows",
        "profile",
        "proxy",
        "upstream_rows",
        "edge",
        "endpoints",
        "operation",
        "doctor",
    )
)
PACKAGES: Final = ("gateway", "resource_api", "servicekit", "local_tenant", "devstack", "stepup", "tests")


@dataclass(frozen=True)
class Module:
    """One Python file; `path` is relative to the root."""

    path: str
    text: str = field(repr=False)

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The file as a tree, which most tests of a run never ask for."""
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @property
    def name(self) -> str:
        """The dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def room(self) -> str:
        """The package it lies in."""
        return self.name.split(".")[0]

    def imports(self) -> Iterator[str]:
        """Yield what is imported anywhere in the file, as dotted names of modules."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                if node.module in PACKAGES or node.module in ROOMS_OF_THE_GATEWAY:
                    yield from (f"{node.module}.{alias.name}" for alias in node.names)
                else:
                    yield node.module


@functools.cache
def modules(root: Path) -> tuple[Module, ...]:
    """Read every Python file of ours."""
    files = [*root.glob("*.py"), *(file for room in PACKAGES for file in root.glob(f"{room}/**/*.py"))]
    return tuple(
        Module(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in sorted(files)
    )
