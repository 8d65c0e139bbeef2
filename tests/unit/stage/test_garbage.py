"""What a test makes is still collected, and what the whole run needs is not walked for it."""

import gc
import weakref


class Circle:
    """Something that holds itself."""

    def __init__(self) -> None:
        self.itself = self


COLLECTED = Circle()
"""Made when this file was collected."""


def test_what_was_there_before_the_tests_is_set_aside() -> None:
    assert not any(walked is COLLECTED for walked in gc.get_objects())


def test_what_a_test_makes_is_collected() -> None:
    circle = Circle()
    alive = weakref.ref(circle)

    del circle
    gc.collect()

    assert alive() is None


def test_the_collector_runs_by_itself_while_tests_run() -> None:
    assert gc.isenabled()
