"""Mutants of a module: its source with one small fault each.

Owns finding the places. Left out are annotations, and decorators, which say how a class is built; the rest of what no
test should fail for, and the faults themselves, are in `faults.py`.
Never runs anything.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.mutation.faults import faults_of, is_left_out


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: in which line, what stood there and what stands there now, and the whole source with it.

    `function` is the qualified name of the outermost function whose body differs; empty where it is no body.
    """

    line: int
    before: str
    after: str
    source: str
    function: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node hangs in the tree: a field of its parent, or an element of a list there."""

    parent: ast.AST
    field: str
    index: int | None
    function: str

    @property
    def node(self) -> ast.AST:
        held: Any = getattr(self.parent, self.field)
        node: ast.AST = held if self.index is None else held[self.index]
        return node

    @property
    def is_condition(self) -> bool:
        """Whether it decides where the code goes on."""
        return self.field == "test" or (self.field == "ifs" and isinstance(self.parent, ast.comprehension))

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


_NOT_BEHAVIOUR: Final = frozenset({"annotation", "returns", "decorator_list", "type_params"})


def mutants_of(source: str) -> Iterator[Mutant]:
    """Return every mutant of a module's source."""
    tree = ast.parse(source)
    for place, node, changed in _faults_in(tree):
        line: int = getattr(node, "lineno", 0)
        yield Mutant(line, _head(node), _head(changed), ast.unparse(tree), place.function)


def faults_in(source: str) -> set[tuple[str, str, str]]:
    """Return the faults of all mutants of a module: in which function, what stood and stands there.

    Without their sources, which take a hundred times as long.
    """
    tree = ast.parse(source)
    return {(place.function, _head(node), _head(changed)) for place, node, changed in _faults_in(tree)}


def _faults_in(tree: ast.AST) -> Iterator[tuple[_Place, ast.AST, ast.AST]]:
    """Put one fault after the other into the tree, and take it out again."""
    for place in _places(tree, ()):
        node = place.node
        for changed in faults_of(node, condition=place.is_condition, in_function=bool(place.function)):
            place.put(changed)
            yield place, node, changed
            place.put(node)


def _places(parent: ast.AST, classes: tuple[str, ...], function: str = "") -> Iterator[_Place]:
    if isinstance(parent, ast.ClassDef):
        classes = (*classes, parent.name)
    for field, held in ast.iter_fields(parent):
        if field in _NOT_BEHAVIOUR:
            continue
        within = function
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef) and field == "body" and not function:
            within = ".".join((*classes, parent.name))
        nodes: list[tuple[int | None, ast.AST]] = [(None, held)] if isinstance(held, ast.AST) else []
        if isinstance(held, list):
            nodes += [(index, node) for index, node in enumerate(held) if isinstance(node, ast.AST)]
        for index, node in nodes:
            if not is_left_out(node):
                yield _Place(parent, field, index, within)
                yield from _places(node, classes, within)


def _head(node: ast.AST) -> str:
    """Return a node's text, of a statement with a body its first line."""
    return ast.unparse(node).strip().splitlines()[0]
