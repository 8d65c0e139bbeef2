"""No asynchronous test waits without end."""

import asyncio
import traceback

import pytest

from tests.stage.bounded_tests import bounded


async def test_each_test_has_an_end(request: pytest.FixtureRequest) -> None:
    assert request.node.obj.__wrapped__.__name__ == request.node.obj.__name__ == "test_each_test_has_an_end"


async def test_one_that_waits_without_end_fails_and_says_where() -> None:
    async def waits_for_nothing(wanted: str) -> None:
        assert wanted == "an argument"
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as ended:
        await bounded(waits_for_nothing, seconds=0.01)(wanted="an argument")

    assert ended.value.__cause__
    assert "waits_for_nothing" in "".join(traceback.format_exception(ended.value.__cause__))


async def test_what_a_test_raises_is_what_is_seen() -> None:
    async def fails() -> None:
        raise ValueError("of its own")

    with pytest.raises(ValueError, match="of its own"):
        await bounded(fails)()
