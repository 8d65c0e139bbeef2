"""What takes long begins, and browser tests are spread among what needs none."""

from tests.stage.sources import ROOT
from tests.stage.workers import BROWSER, LONG_FIRST, ordered


def test_what_takes_long_begins() -> None:
    files = [
        "tests/product/test_story.py",
        "tests/real/crash/test_kill.py",
        "tests/real/redis/test_cluster.py",
        "tests/unit/servicekit/test_entra.py",
        "tests/unit/test_imports_alone.py",
    ]

    assert ordered(files) == [
        "tests/real/crash/test_kill.py",
        "tests/real/redis/test_cluster.py",
        "tests/unit/test_imports_alone.py",
        "tests/product/test_story.py",
        "tests/unit/servicekit/test_entra.py",
    ]


def test_browser_tests_alternate_with_others_and_none_is_lost() -> None:
    browsers = [f"{BROWSER}test_{name}.py" for name in "abc"]
    others = ["tests/real/redis/test_faults.py", "tests/product/test_story.py"]

    assert ordered([*browsers, *others]) == [browsers[0], others[0], browsers[1], others[1], browsers[2]]


def test_each_place_of_the_order_is_there() -> None:
    assert [place for place in (BROWSER, *LONG_FIRST) if not (ROOT / place).exists()] == []
