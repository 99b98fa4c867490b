"""What can go wrong between a client and the API server."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Answer:
    """The proxy answers by itself; the request is not carried out."""

    status: int
    message: str = "a fault that a test asked for"
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends without an answer; `carried_out`: the API server did as it was asked."""

    carried_out: bool = False


@dataclass(frozen=True, slots=True)
class CutStream:
    """An answer, a watch for one, ends in its midst, after so many of its bytes."""

    after_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Delay:
    """The request is carried out later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The request is not passed on before `release`; `arrived` is set once there is one."""

    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        self.released.set()


@dataclass(frozen=True, slots=True)
class Call:
    """A test's own deed just before the request is passed on, or just after it was carried out.

    The client waits meanwhile: the place to kill it, or to change what it is about to change.
    """

    deed: Callable[[], object]
    carried_out: bool = False


Fault: TypeAlias = Answer | Cut | CutStream | Delay | Hold | Call


@dataclass(slots=True, kw_only=True)
class Rule:
    """Which requests meet a fault.

    `method` and `path` are regular expressions; `path` is searched for in the path with its query.
    The first `skip` matching requests pass, then `count` meet the fault, all of them if None.
    """

    fault: Fault
    method: str = ".*"
    path: str = ""
    count: int | None = 1
    skip: int = 0
    matched: int = 0

    @property
    def hits(self) -> int:
        """How many requests met the fault."""
        met = max(0, self.matched - self.skip)
        return met if self.count is None else min(met, self.count)

    def takes(self, method: str, path: str) -> bool:
        """Whether this request meets the fault; counts it."""
        if not (re.fullmatch(self.method, method) and re.search(self.path, path)):
            return False
        before = self.hits
        self.matched += 1
        return self.hits > before
