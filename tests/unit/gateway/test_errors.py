"""The tree of failures, as it is drawn, is the tree of failures, as it is."""

import inspect
import re

from gateway import errors
from servicekit.problems import ProblemError


def test_the_tree_shows_every_failure_once_below_its_parent_and_with_its_status() -> None:
    branches = re.findall(r"^ +((?:│   )*)[├└]── (\w+) +(\d*)", errors.__doc__ or "", re.MULTILINE)
    drawn: list[tuple[str, str, str]] = []
    above = ["ProblemError"]
    for indent, name, status in branches:
        del above[len(indent) // 4 + 1 :]
        drawn.append((name, above[-1], status))
        above.append(name)

    kinds = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, ProblemError)
    ]
    # A journey's failure is raised as one of its kinds only, each with a status of its own.
    assert sorted(drawn) == sorted(
        (kind.__name__, kind.__mro__[1].__name__, "" if kind is errors.AuthFlowRejected else str(kind.status))
        for kind in kinds
        if kind is not ProblemError
    )
