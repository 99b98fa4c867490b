"""When the next write may begin."""

import asyncio

import pytest

from kubetune.adapters.kubernetes.pace import Pace
from tests.fakes.clock import FakeClock


class Naps:
    """Sleeps that take no time but move the clock; remembers them."""

    def __init__(self, clock: FakeClock) -> None:
        self.seconds: list[float] = []
        self._clock = clock

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._clock.advance(seconds)


class Slept:
    """A sleep that ends only when it is cancelled."""

    def __init__(self) -> None:
        self.began = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.began.set()
        await asyncio.Event().wait()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def naps(clock: FakeClock) -> Naps:
    return Naps(clock)


async def test_the_first_write_comes_at_once(clock: FakeClock, naps: Naps) -> None:
    """Who was idle waits for nothing."""
    await Pace(clock, naps, seconds=1.0).turn()
    assert naps.seconds == []


async def test_a_busy_writer_waits_between_two_writes(clock: FakeClock, naps: Naps) -> None:
    """After a write the next one begins `seconds` later, and not later than that."""
    pace = Pace(clock, naps, seconds=1.0)
    pace.succeeded()
    clock.advance(0.25)
    await pace.turn()
    assert naps.seconds == [0.75]


async def test_idle_time_saves_up_a_burst(clock: FakeClock, naps: Naps) -> None:
    """A burst is spent at once; then one write comes in `seconds`; idle time fills it again."""
    pace = Pace(clock, naps, seconds=10.0, burst=3)
    for _ in range(5):
        await pace.turn()
        pace.succeeded()
    assert naps.seconds == [10.0, 10.0]
    clock.advance(100.0)
    for _ in range(3):
        await pace.turn()
        pace.succeeded()
    assert naps.seconds == [10.0, 10.0]


async def test_failures_wait_longer_and_longer(clock: FakeClock, naps: Naps) -> None:
    """1, 2, 4 ... at most 30 seconds; a success ends that."""
    pace = Pace(clock, naps, seconds=1.0)
    for _ in range(7):
        pace.failed()
        await pace.turn()
    assert naps.seconds == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    pace.succeeded()
    await pace.turn()
    assert naps.seconds[7:] == [1.0]


async def test_a_jump_of_the_wall_clock_holds_nothing_up(clock: FakeClock, naps: Naps) -> None:
    """Waits are measured by the clock that never jumps."""
    pace = Pace(clock, naps, seconds=1.0)
    pace.succeeded()
    clock.time -= 1e6
    await pace.turn()
    assert naps.seconds == [1.0]


async def test_who_can_wait_comes_later(clock: FakeClock, naps: Naps) -> None:
    """A turn with seconds of its own begins that long after the last write; at once when idle."""
    pace = Pace(clock, naps, seconds=1.0)
    pace.succeeded()
    await pace.turn(10.0)
    assert naps.seconds == [10.0]


@pytest.mark.parametrize("how", ["hurry", "unless"])
async def test_a_wait_can_be_ended_early(clock: FakeClock, how: str) -> None:
    """Haste, or what a patient turn waits for, ends a wait that has begun."""
    slept = Slept()
    pace, matters = Pace(clock, slept, seconds=1.0), asyncio.Event()
    pace.succeeded()
    turn = asyncio.create_task(pace.turn(10.0, unless=matters))
    await slept.began.wait()
    {"hurry": pace.hurry, "unless": matters.set}[how]()
    await turn


async def test_haste_does_not_spin(clock: FakeClock, naps: Naps) -> None:
    """In haste a failure is still followed by a short wait; relaxed, by the usual one."""
    pace = Pace(clock, naps, seconds=1.0)
    pace.hurry()
    pace.failed()
    await pace.turn()
    assert naps.seconds == [Pace.HURRIED_SECONDS]
    pace.relax()
    await pace.turn()
    assert naps.seconds[1:] == [pytest.approx(1.0 - Pace.HURRIED_SECONDS)]
