"""Ports that die in the middle of a pass, as a process does."""

from collections.abc import Awaitable, Callable
from typing import Any

WRITES = frozenset(
    {
        "draw",
        "add_initial",
        "add_repeat",
        "record",
        "started",
        "retry",
        "tell",
        "launch",
        "stop",
        "remove",
    }
)


class Crash(BaseException):
    """The process is gone; nothing catches this."""


class Fuse:
    """Counts writes down, and crashes once that many are done."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def around(self, target: Any) -> Any:
        """The same port, with this fuse in it."""
        return _Fused(target, self)


class _Fused:
    def __init__(self, target: Any, fuse: Fuse) -> None:
        self._target = target
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)
        return self._burning(method) if name in WRITES else method

    def _burning(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any) -> Any:
            answer = await method(*args)
            self._fuse.left -= 1
            if self._fuse.left <= 0:
                raise Crash
            return answer

        return call
