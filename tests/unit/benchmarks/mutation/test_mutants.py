"""The faults that are made in a module, and what is left alone."""

import ast
import textwrap

import pytest

from benchmarks.mutation.mutants import faults_in, mutants_of


def faults(text: str) -> set[tuple[str, str]]:
    """Return what is changed into what in a text."""
    return {(mutant.before, mutant.after) for mutant in mutants_of(textwrap.dedent(text))}


def changes(expression: str) -> set[str]:
    """Return what stands in the place of an expression."""
    whole = ast.unparse(ast.parse(expression, mode="eval"))
    return {after for before, after in faults(f"f({expression})") if before == whole}


@pytest.mark.parametrize(
    "expression, instead",
    [
        ("a < b", {"a <= b"}),
        ("a == b", {"a != b"}),
        ("a not in b", {"a in b"}),
        ("a < b <= c", {"a <= b <= c", "a < b < c"}),
        ("a and b and c", {"a or b or c", "b and c", "a and c", "a and b"}),
        ("not a", {"a"}),
        ("-a", {"a"}),
        ("a + b", {"a - b"}),
        ("a // b", {"a * b"}),
        ("a | b", {"a & b"}),
        ("True", {"False"}),
        ("7", {"8"}),
        ("'word'", {"'Xword'"}),
        ("b''", {"b'X'"}),
        ("None", set()),
        ("g(a, key=b, other=c)", {"g(a, other=c)", "g(a, key=b)"}),
        ("min(a, b)", {"max(a, b)"}),
        ("{**a, 'b': c}", {"{'b': c}"}),
        ("{Kind.ONE: a, 'b': c}", {"{'b': c}"}),
        ("{Kind.ONE, 'b'}", {"{'b'}"}),
        ("[*a, b]", {"[b]"}),
    ],
)
def test_an_expression_is_changed_into_what_somebody_might_have_written(
    expression: str, instead: set[str]
) -> None:
    assert changes(expression) == instead


@pytest.mark.parametrize(
    "statement, instead",
    [
        ("g()", {"pass"}),
        ("await g()", {"pass"}),
        ("raise error", {"pass"}),
        ("del a", {"pass"}),
        ("a.b = c", {"pass"}),
        ("a[b] = c", {"pass"}),
        ("a = b", {"a = None"}),
        ("a += b", {"pass", "a -= b"}),
        ("return a", {"return None"}),
        ("return True", set()),
        ("continue", {"break"}),
        ("break", {"pass"}),
        ("with a():\n        b", {"if True:"}),
        ("with a() as c:\n        b", set()),
    ],
)
def test_a_statement_is_left_out_or_does_less(statement: str, instead: set[str]) -> None:
    text = f"async def f():\n    {statement}"
    first = ast.unparse(ast.parse(text).body[0].body[0]).splitlines()[0]  # type: ignore[attr-defined]  # a function

    assert {after for before, after in faults(text) if before == first} == instead


def test_a_condition_that_nothing_else_turns_round_is_turned_round() -> None:
    assert {after for before, after in faults("if a:\n    b") if before == "a"} == {"not a"}
    assert {after for before, after in faults("[a for a in b if c]") if before == "c"} == {"not c"}


def test_of_several_exceptions_each_is_caught_no_more() -> None:
    text = "try:\n    a\nexcept (B, C):\n    d"
    made = list(mutants_of(text))
    sources = {mutant.source for mutant in made}
    assert faults_in(text) == {(mutant.function, mutant.before, mutant.after) for mutant in made}

    assert sources == {"try:\n    a\nexcept (C,):\n    d", "try:\n    a\nexcept (B,):\n    d"}
    assert faults(text) == {("except (B, C):", "except (C,):"), ("except (B, C):", "except (B,):")}


def test_what_no_test_should_fail_for_is_left_alone() -> None:
    text = '''
        """A docstring."""
        from a import b
        T = TypeVar("T")
        __all__ = ["f"]
        count: Annotated[int, "words"]
        """What it holds."""

        @dataclass(frozen=True)
        class C:
            """Another."""

            def __repr__(self) -> str:
                return "C" + "!"

        def f(a: int | str) -> "C":
            """A third."""
            log_event(_log, 7, "something", much=1 + 2)
            _log.info("something")
    '''

    assert faults(text) == set()
    assert faults('raise E("said", log_detail="noted")') == {
        ("raise E('said', log_detail='noted')", "pass"),
        ("'said'", "'Xsaid'"),
    }


def test_a_mutant_names_its_line_the_outermost_function_and_has_one_fault() -> None:
    text = textwrap.dedent("""
        LIMIT = 1

        class C:
            def f(self, a=2):
                def g():
                    return a < 3
                return g
    """)
    mutants = {(mutant.before, mutant.after): mutant for mutant in mutants_of(text)}

    places = {before: (mutant.line, mutant.function) for (before, _), mutant in mutants.items()}
    assert places["1"] == (2, "")
    assert places["2"] == (5, ""), "a default is made where the function is"
    assert places["3"] == places["a < 3"] == (7, "C.f")
    assert mutants["3", "4"].source == ast.unparse(ast.parse(text)).replace("a < 3", "a < 4")
