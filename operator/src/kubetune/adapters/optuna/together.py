"""What is asked for while the database is busy is done together, in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT")


class Together(Generic[ItemT, AnswerT]):
    """Hands on items one by one, or several at once where they wait for the same turn.

    `work` takes items in the order in which they were given, and answers each. Where it raises,
    all that were together get that exception.
    """

    def __init__(self, work: Callable[[Sequence[ItemT]], Awaitable[Sequence[AnswerT]]]) -> None:
        self._work = work
        self._waiting: list[tuple[ItemT, asyncio.Future[AnswerT]]] = []
        self._turn = asyncio.Lock()

    async def give(self, item: ItemT) -> AnswerT:
        """The answer to one item."""
        answer: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        await asyncio.sleep(0)
        async with self._turn:
            if not answer.done():
                await self._do_all()
        return await answer

    async def _do_all(self) -> None:
        given, self._waiting = self._waiting, []
        try:
            answers = await self._work([item for item, _ in given])
        except asyncio.CancelledError:
            for _, future in given:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is theirs who gave the items
            for _, future in given:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(given, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
