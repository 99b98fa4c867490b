"""What waits for the same turn is done together."""

import asyncio
from collections.abc import Sequence

import pytest

from kubetune.adapters.optuna.together import Together


class Work:
    """Doubles numbers; each turn waits until it is let go."""

    def __init__(self) -> None:
        self.turns: list[list[int]] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.turns.append(list(items))
        await self.go.wait()
        if self.error:
            raise self.error
        return [2 * item for item in items]


@pytest.fixture
def work() -> Work:
    return Work()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_what_is_given_together_is_done_together(work: Work) -> None:
    """In one turn, in order; each gets its own answer."""
    together = Together(work)
    work.go.set()
    assert await asyncio.gather(*map(together.give, range(4))) == [0, 2, 4, 6]
    assert work.turns == [[0, 1, 2, 3]]


async def test_what_comes_during_a_turn_waits_for_the_next(work: Work) -> None:
    """However many they are, they share it."""
    together = Together(work)
    first = asyncio.create_task(together.give(1))
    await settled()
    others = [asyncio.create_task(together.give(number)) for number in (2, 3)]
    await settled()
    assert work.turns == [[1]]
    work.go.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert work.turns == [[1], [2, 3]]


async def test_an_error_is_that_of_all_that_were_together(work: Work) -> None:
    """What comes later has its own turn."""
    together = Together(work)
    work.go.set()
    work.error = ValueError("no")
    failed = await asyncio.gather(*map(together.give, range(3)), return_exceptions=True)
    assert [str(error) for error in failed] == ["no"] * 3
    work.error = None
    assert await together.give(4) == 8


async def test_cancelling_leaves_nobody_waiting(work: Work) -> None:
    """A study's loop may be ended in the middle of a turn; the next turn is as ever."""
    together = Together(work)
    given = [asyncio.create_task(together.give(number)) for number in range(3)]
    await settled()
    for task in given:
        task.cancel()
    await asyncio.gather(*given, return_exceptions=True)
    assert all(task.cancelled() for task in given)
    work.go.set()
    assert await together.give(4) == 8
