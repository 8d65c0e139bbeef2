"""Scripts by their SHA-1 (R23, R26): a text goes out once where a server does not know it, and never again."""

from collections.abc import Sequence

import pytest

from gateway.store.redis.client import GuardedRedis
from gateway.store.redis.cluster import GuardedCluster
from gateway.store.redis.script_calls import ScriptCall
from gateway.store.scripts import READ, SPEND, TOUCH, WRITE, sha1_of
from tests.stage.redis_wire import Command
from tests.stage.request_proxy import RequestProxy

MARKS = iter(range(1000))


def spending() -> ScriptCall:
    """Return a call that answers 1, and by whose number it is seen how often it was carried out."""
    return ScriptCall(SPEND, ["stepup:spent"], [1, 1000, 60, f"mark-{next(MARKS)}"])


def touching() -> ScriptCall:
    return ScriptCall(TOUCH, ["stepup:touched"], [1, 1000])


async def spent(redis: GuardedRedis) -> int:
    held = await redis.get("stepup:spent") or b"0 "
    return int(held.split()[0])


@pytest.fixture
def one(redis: GuardedRedis | GuardedCluster) -> GuardedRedis:
    """Give a client of a server that knows no script."""
    assert isinstance(redis, GuardedRedis)
    return redis


def forms(met: Sequence[Command]) -> list[str]:
    """Return how each script was sent."""
    return [command.name for command in met if command.script]


async def forget(one: GuardedRedis) -> None:
    await one.execute_command("SCRIPT", "FLUSH")


async def test_R26_of_many_scripts_that_a_server_does_not_know_each_text_is_sent_once(
    one: GuardedRedis, way_to_redis: RequestProxy[Command]
) -> None:
    await forget(one)
    sent = way_to_redis.watch(lambda _: True)

    calls = [spending(), touching(), spending(), touching(), spending()]
    assert await one.run_all(calls) == [1, 0, 1, 0, 1]

    assert forms(sent.met) == ["EVALSHA"] * 5 + ["EVAL", "EVAL", "EVALSHA", "EVALSHA", "EVALSHA"]
    assert await spent(one) == 3
    sent.met.clear()
    assert await one.run_all([spending(), touching(), spending()]) == [1, 0, 1]
    assert forms(sent.met) == ["EVALSHA"] * 3


async def test_R26_what_was_done_before_a_script_that_is_not_known_is_not_sent_again(
    one: GuardedRedis, way_to_redis: RequestProxy[Command]
) -> None:
    await forget(one)
    assert await one.run_script(spending()) == 1
    sent = way_to_redis.watch(lambda _: True)

    *answers, held = await one.run_all(
        [spending(), spending(), touching(), spending()], ("GET", "stepup:spent")
    )

    assert answers == [1, 1, 0, 1]
    assert held.startswith(b"4 ")
    assert forms(sent.met) == ["EVALSHA"] * 4 + ["EVAL", "EVALSHA"]
    assert await spent(one) == 4


async def test_R26_the_same_holds_for_a_script_alone(
    one: GuardedRedis, way_to_redis: RequestProxy[Command]
) -> None:
    await forget(one)
    sent = way_to_redis.watch(lambda _: True)
    for _ in range(3):
        await one.run_script(spending())
        await one.run_script(ScriptCall(READ, ["stepup:x"], ["seen"]))

    assert forms(sent.met) == ["EVALSHA", "EVAL"] * 2 + ["EVALSHA"] * 4


async def test_S34_a_user_without_the_right_to_evalsha_sends_texts_from_then_on(
    one: GuardedRedis, way_to_redis: RequestProxy[Command]
) -> None:
    refusal = b"-NOPERM this user has no permissions to run the 'evalsha' command\r\n"
    way_to_redis.refuse(lambda command: command.name == "EVALSHA", refusal, times=None)
    sent = way_to_redis.watch(lambda command: command.name.startswith("EVAL"))

    for _ in range(2):
        assert await one.run_all([spending(), touching(), spending()]) == [1, 0, 1]
        assert await one.run_script(spending()) == 1

    assert [command.name for command in sent.met if command.name == "EVALSHA"] == []
    assert forms(sent.met) == ["EVAL"] * 8


def test_a_call_is_sent_by_the_name_that_redis_knows_it_by() -> None:
    call = ScriptCall(WRITE, ["a", "b"], [1])

    assert call.command(by_sha1=True) == ("EVALSHA", sha1_of(WRITE), 2, "a", "b", 1)
    assert call.command(by_sha1=False) == ("EVAL", WRITE, 2, "a", "b", 1)
