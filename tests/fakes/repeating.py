"""Work that goes on in the background of a test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager


@asynccontextmanager
async def repeating(step: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Takes the step again and again, until the block and the last step are over."""
    over = asyncio.Event()

    async def follow() -> None:
        while not over.is_set():
            await step()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(follow())
    try:
        yield
    finally:
        over.set()
        await task
