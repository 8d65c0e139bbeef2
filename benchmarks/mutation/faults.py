"""Faults that somebody might make, in the place of one node of a syntax tree.

Owns the faults: comparisons, constants, words, conditions, arithmetic, arguments, whatever is done or returned. Left
out is what no test should fail for: docstrings, log lines and what is written into them, and `__repr__`.
"""

import ast
from collections.abc import Callable, Iterator
from typing import Any, Final

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OPPOSITES: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_LOG: Final = frozenset({"log_event", "_log"})
_LOG_TEXTS: Final = frozenset({"log_detail", "repr"})


def is_left_out(node: ast.AST) -> bool:
    """Tell whether nothing in this node is to be changed."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.FunctionDef(name="__repr__"):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name)))):
            return name in _LOG
        case ast.keyword(arg=name):
            return name in _LOG_TEXTS
        case (
            ast.Assign(targets=[ast.Name(id="__all__")])
            | ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar")))
        ):
            return True
    return False


def faults_of(node: ast.AST, *, condition: bool, in_function: bool) -> Iterator[ast.AST]:
    """Return what might wrongly stand in the place of a node.

    `condition` says that it decides where the code goes on; a name that a module gives is only changed in its value.
    """
    make = _FAULTS.get(type(node))
    if make and (in_function or not isinstance(node, ast.Assign)):
        yield from make(node)
    if condition:
        yield from _opposite(node)


def _removed(_node: ast.stmt) -> Iterator[ast.AST]:
    yield ast.Pass()


def _of_call(node: ast.Expr) -> Iterator[ast.AST]:
    if isinstance(node.value, ast.Call | ast.Await):
        yield ast.Pass()


def _of_assignment(node: ast.Assign) -> Iterator[ast.AST]:
    (target,) = node.targets[:1]
    if not isinstance(target, ast.Name):
        yield ast.Pass()
    elif not _is_none(node.value):
        yield ast.Assign([target], ast.Constant(None), lineno=node.lineno)


def _of_typed_assignment(node: ast.AnnAssign) -> Iterator[ast.AST]:
    if isinstance(node.target, ast.Attribute):
        yield ast.Pass()


def _of_augmentation(node: ast.AugAssign) -> Iterator[ast.AST]:
    yield ast.Pass()
    yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)


def _of_return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


def _of_continue(_node: ast.Continue) -> Iterator[ast.AST]:
    yield ast.Break()


def _of_with(node: ast.With | ast.AsyncWith) -> Iterator[ast.AST]:
    """Leave out what surrounds the block, where the block does not use it."""
    if all(item.optional_vars is None for item in node.items):
        yield ast.If(ast.Constant(value=True), node.body, [])


def _of_handler(node: ast.ExceptHandler) -> Iterator[ast.AST]:
    """Catch one exception less, of several."""
    if isinstance(node.type, ast.Tuple):
        for fewer in _with_one_less(node.type.elts):
            yield ast.ExceptHandler(ast.Tuple(fewer, ast.Load()), node.name, node.body)


def _of_constant(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str():
            yield ast.Constant("X" + node.value)
        case bytes():
            yield ast.Constant(b"X" + node.value)


def _of_comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for at, operator in enumerate(node.ops):
        other = _COMPARISONS[type(operator)]()
        yield ast.Compare(node.left, [*node.ops[:at], other, *node.ops[at + 1 :]], node.comparators)


def _of_condition(node: ast.BoolOp) -> Iterator[ast.AST]:
    """Join by the other word, and leave each part out."""
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for rest in _with_one_less(node.values):
        yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _of_sign(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _of_arithmetic(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in _ARITHMETIC:
        yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)


def _of_arguments(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _OPPOSITES:
        yield ast.Call(ast.Name(_OPPOSITES[node.func.id], ast.Load()), node.args, node.keywords)
    for keyword in node.keywords:
        if not is_left_out(keyword):
            yield ast.Call(node.func, node.args, [other for other in node.keywords if other is not keyword])


def _of_dictionary(node: ast.Dict) -> Iterator[ast.AST]:
    """Leave out an entry that is merged in or has a name of ours; another's key is a constant, and changed itself."""
    for at, key in enumerate(node.keys):
        if key is None or isinstance(key, ast.Attribute):
            yield ast.Dict(
                [*node.keys[:at], *node.keys[at + 1 :]], [*node.values[:at], *node.values[at + 1 :]]
            )


def _of_set(node: ast.Set) -> Iterator[ast.AST]:
    for member, rest in zip(node.elts, _with_one_less(node.elts), strict=True):
        if not (isinstance(member, ast.Constant) and isinstance(member.value, str)):
            yield ast.Set(rest)


def _of_elements(node: ast.List | ast.Tuple) -> Iterator[ast.AST]:
    for element, rest in zip(node.elts, _with_one_less(node.elts), strict=True):
        if isinstance(element, ast.Starred):
            yield type(node)(rest, ast.Load())


def _opposite(node: ast.AST) -> Iterator[ast.AST]:
    """Turn a condition round that no other fault turns round."""
    if isinstance(node, ast.expr) and not isinstance(
        node, ast.Compare | ast.BoolOp | ast.Constant | ast.UnaryOp
    ):
        yield ast.UnaryOp(ast.Not(), node)


def _with_one_less(nodes: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for at in range(len(nodes)):
        yield [*nodes[:at], *nodes[at + 1 :]]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_FAULTS: Final[dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]]] = {
    ast.Raise: _removed,
    ast.Delete: _removed,
    ast.Break: _removed,
    ast.Expr: _of_call,
    ast.Assign: _of_assignment,
    ast.AnnAssign: _of_typed_assignment,
    ast.AugAssign: _of_augmentation,
    ast.Return: _of_return,
    ast.Continue: _of_continue,
    ast.With: _of_with,
    ast.AsyncWith: _of_with,
    ast.ExceptHandler: _of_handler,
    ast.Constant: _of_constant,
    ast.Compare: _of_comparison,
    ast.BoolOp: _of_condition,
    ast.UnaryOp: _of_sign,
    ast.BinOp: _of_arithmetic,
    ast.Call: _of_arguments,
    ast.Dict: _of_dictionary,
    ast.Set: _of_set,
    ast.List: _of_elements,
    ast.Tuple: _of_elements,
}
