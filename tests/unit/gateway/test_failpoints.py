"""Failpoints: nothing without an order, an order only in local work, and every point documented."""

import asyncio
import re
import time

import pytest

from gateway.failpoints import POINTS, FailpointReached, Failpoints
from tests.stage.sources import ROOT
from tests.unit.gateway.test_settings import faults_of

LOCAL = "http://127.0.0.1:8400"


async def test_without_an_order_nothing_happens() -> None:
    for point in POINTS:
        await Failpoints().reach(point)


async def test_an_order_counts_and_ends() -> None:
    points = Failpoints.parse("redis-write=raise*2,edit-sent=delay:30")

    for _ in range(2):
        with pytest.raises(FailpointReached, match="redis-write"):
            await points.reach("redis-write")
    await points.reach("redis-write")
    began = time.monotonic()
    await points.reach("edit-sent")
    assert time.monotonic() - began >= 0.03
    points.disarm()
    points.arm("edit-sent", "hang")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(points.reach("edit-sent"), 0.02)


@pytest.mark.parametrize(
    "text", ["nowhere=kill", "edit-sent", "edit-sent=explode", "edit-sent=delay:0", "=kill"]
)
def test_S57_an_order_that_is_none_is_a_fault_of_the_settings(text: str) -> None:
    (line,) = faults_of(FAILPOINT=text, AUTHORITY_MAP=LOCAL)

    assert line.startswith(
        f"GATEWAY_FAILPOINT is {text!r}, which is no point with kill, raise, hang or delay"
    )


def test_S57_failing_on_purpose_is_for_local_work_only() -> None:
    (line,) = faults_of(FAILPOINT="edit-sent=kill")
    assert line == "GATEWAY_FAILPOINT is for local work only, with GATEWAY_AUTHORITY_MAP. Remove it."

    (line,) = faults_of(FAILPOINT="edit-sent=kill", AUTHORITY_MAP=LOCAL, PUBLIC_URL="https://a.example")
    assert line.startswith("GATEWAY_AUTHORITY_MAP is for local work only"), "and the map itself is"


def test_U29_every_point_is_documented() -> None:
    _, _, section = (
        (ROOT / "docs/explanation/reliability.md").read_text(encoding="utf-8").partition("## Failpoints")
    )

    assert re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE) == list(POINTS)
