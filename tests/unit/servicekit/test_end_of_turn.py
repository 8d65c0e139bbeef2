"""Requests of one turn go out together, after all that was ready."""

import asyncio

from servicekit.end_of_turn import EndOfTurn


async def test_what_is_added_runs_in_its_order_when_all_that_was_ready_has_run() -> None:
    done: list[str] = []
    end = EndOfTurn()

    async def ask(name: str) -> None:
        done.append(f"{name} asks")
        end.add(lambda: done.append(f"{name} goes out"))

    await asyncio.gather(ask("Ada"), ask("Grace"))
    await asyncio.sleep(0)
    assert done == ["Ada asks", "Grace asks", "Ada goes out", "Grace goes out"]

    await ask("Edith")
    await asyncio.sleep(0)
    assert done[4:] == ["Edith asks", "Edith goes out"], "and again in the next turn"


async def test_what_is_added_meanwhile_runs_at_the_end_of_the_next_turn() -> None:
    done: list[str] = []
    end = EndOfTurn()
    end.add(lambda: end.add(lambda: done.append("the second")))
    end.add(lambda: done.append("the first"))
    for _ in range(2):
        await asyncio.sleep(0)

    assert done == ["the first", "the second"]
