"""The trees of failures, as they are drawn, are the trees of failures, as they are."""

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Final

import pytest

import gateway.errors
import resource_api.errors
import servicekit.discovery
import servicekit.errors
from servicekit.problems import ProblemError

TREES: Final = (gateway.errors, resource_api.errors, servicekit.errors)
# Raised as one of their kinds only, each with a status of its own.
WITHOUT_STATUS: Final = {gateway.errors.AuthFlowRejected, resource_api.errors.TokenNeeded}


def drawn(tree: ModuleType) -> list[tuple[str, str, str]]:
    """Return what the docstring shows: name, parent, status."""
    branches = re.findall(r"^ {4}((?:│   | {4})*)[├└]── (\w+) +(\d*)", tree.__doc__ or "", re.MULTILINE)
    shown: list[tuple[str, str, str]] = []
    above = ["ProblemError"]
    for indent, name, status in branches:
        del above[len(indent) // 4 + 1 :]
        shown.append((name, above[-1], status))
        above.append(name)
    return shown


def below(kind: type[ProblemError], packages: set[str]) -> Iterator[type[ProblemError]]:
    """Return the kinds of a failure that these packages define, wherever in them."""
    for child in kind.__subclasses__():
        if child.__module__.split(".")[0] in packages:
            yield child
        yield from below(child, packages)


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.__name__)
def test_a_tree_shows_every_failure_once_below_its_parent_and_with_its_status(tree: ModuleType) -> None:
    packages = {tree.__name__.split(".")[0], "servicekit"}

    assert sorted(drawn(tree)) == sorted(
        (kind.__name__, kind.__mro__[1].__name__, "" if kind in WITHOUT_STATUS else str(kind.status))
        for kind in below(ProblemError, packages)
    )


def test_what_both_services_know_has_one_class_only() -> None:
    names = [kind.__name__ for kind in below(ProblemError, {"gateway", "resource_api", "servicekit"})]

    assert {name for name in names if names.count(name) > 1} == {"InvalidProfilePatch", "ProfileChanged"}, (
        "the failures that are about the profile, which servicekit does not know"
    )
