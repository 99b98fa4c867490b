"""How rates move: each formula where it begins, turns and ends."""

import math
from typing import get_args

import pytest
import torch
from transformers.optimization import get_scheduler

from kubetune_trainer.training import schedules
from kubetune_trainer.training.schedules import Course, OneCycle, SchedulerType

STEPS, WARMUP, RATE = 40, 8, 1e-3


def rates(course, rate=RATE):
    """The rate of each step, of two groups of which the second has half of it."""
    groups = [{"params": [torch.zeros(1)], "lr": each} for each in (rate, rate / 2)]
    optimizer = torch.optim.AdamW(groups, lr=rate)
    scheduler = schedules.build(optimizer, course)
    found = []
    for step in range(1, course.steps + 1):
        first, second = (group["lr"] for group in optimizer.param_groups)
        assert second == pytest.approx(first / 2)
        found.append(first)
        optimizer.step()
        if step < course.steps:
            scheduler.step()
    return found


@pytest.mark.parametrize(
    ("kind", "middle", "last"),
    [
        ("constant", 1.0, 1.0),
        ("linear", 0.5, 1 / 32),
        ("cosine", 0.5, (1 + math.cos(math.pi * 31 / 32)) / 2),
        ("polynomial", 0.50005, 1e-4 + (1 - 1e-4) / 32),
    ],
)
def test_formulas(kind, middle, last):
    """From 0 over the warmup to the rate, half of it in the middle of what is left, and the end."""
    found = rates(Course(kind=kind, steps=STEPS, warmup_steps=WARMUP))
    assert found[0] == 0
    assert found[WARMUP // 2] == pytest.approx(RATE / 2)
    assert found[WARMUP] == pytest.approx(RATE)
    assert found[WARMUP + (STEPS - WARMUP) // 2] == pytest.approx(RATE * middle)
    assert found[-1] == pytest.approx(RATE * last)


@pytest.mark.parametrize("cycles", [1, 2, 4])
def test_restarts(cycles):
    """A cosine that begins anew so many times."""
    course = Course(kind="cosine_with_restarts", steps=STEPS, warmup_steps=WARMUP, cycles=cycles)
    found = rates(course)
    assert found.count(pytest.approx(RATE)) == cycles
    assert schedules.factor(course, STEPS) == 0


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine", "cosine_with_restarts"])
def test_the_formulas_are_those_of_transformers(kind):
    """Step by step what everybody else's runs had."""
    special = {"num_cycles": 3} if kind == "cosine_with_restarts" else {}
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=RATE)
    theirs = get_scheduler(
        "constant_with_warmup" if kind == "constant" else kind,
        optimizer,
        num_warmup_steps=WARMUP,
        num_training_steps=STEPS,
        scheduler_specific_kwargs=special,
    )
    found = []
    for _ in range(STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()
    course = Course(kind=kind, steps=STEPS, warmup_steps=WARMUP, cycles=3)
    assert rates(course) == pytest.approx(found)


def test_one_cycle_has_its_ratios():
    """Start, peak and end are the ratios of the base rate, in their steps."""
    cycle = OneCycle(peak_ratio=8, warmup_share=0.25, start_divisor=20, end_ratio=1e-4)
    found = rates(Course(kind="one_cycle", steps=STEPS, one_cycle=cycle))
    assert found[0] == pytest.approx(RATE * 8 / 20)
    assert max(found) == found[STEPS // 4 - 1] == pytest.approx(RATE * 8)
    assert found[-1] == pytest.approx(RATE * 1e-4)


@pytest.mark.parametrize("kind", get_args(SchedulerType))
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_the_shortest_trials(kind, steps):
    """One step is enough for every schedule, and none is stepped past its end."""
    found = rates(Course(kind=kind, steps=steps, warmup_steps=5, cycles=2))
    assert len(found) == steps
    assert max(found) > 0


def test_a_long_warmup_is_cut():
    """A warmup takes a fifth of the steps at most, and what was cut is said."""
    course = Course(steps=STEPS, warmup_steps=20)
    assert course.usable_warmup_steps == 8
    assert course.notes == ("warmup of 20 steps is cut to 8, a fifth of all 40",)
    assert rates(course)[8] == pytest.approx(RATE)
    assert Course(steps=STEPS, warmup_steps=8).notes == ()
