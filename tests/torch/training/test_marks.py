"""Faults of real trainings and the marks that the study gives them."""

import math

import pytest

from kubetune.domain.marks import Mark, mark
from tests.torch.training.toy import Task, train
from tests.unit.domain.marks import drawn

STEPS = 60
WILD = {"learning_rate": 1e6, "head_rate": 1e6, "optimizer_type": "SGD", "max_grad_norm": 0.0}


def marks_of(trial):
    """The marks of the curve that was reported."""
    steps: dict[float, dict[str, float]] = {}
    for step, metrics in trial.reports:
        steps.setdefault(step, {}).update(metrics)
    found = mark(drawn.study(drawn.LOSS), (drawn.joined(0, steps),))
    return [one.mark for one in found.get(0, ())]


def broken_weight(task):
    """One weight of the model is no number."""
    task.module[0].weight.data[0, 0] = math.nan


def wild_batch(task):
    """Once, in the middle of the training, the data are a million times what they are."""
    usual = task.inputs.clone()

    def during(what, count):
        if what == "loss":
            task.inputs.copy_(usual * (1e6 if count == STEPS // 2 else 1))

    task.during = during


@pytest.mark.parametrize(
    ("spoil", "parameters", "expected"),
    [
        (None, {}, []),
        (None, WILD, [Mark.DIVERGED, Mark.GRADIENT_EXPLOSION]),
        (broken_weight, {}, [Mark.DIVERGED, Mark.GRADIENT_EXPLOSION]),
        (wild_batch, {}, [Mark.GRADIENT_EXPLOSION]),
    ],
    ids=["none", "rate", "weight", "batch"],
)
def test_each_fault_has_its_mark(tmp_path, spoil, parameters, expected):
    """Nothing finite any more, gradients that explode once, and neither."""
    task = Task()
    if spoil:
        spoil(task)
    given = {"learning_rate": 1e-3, "evaluate_first": True, **parameters}
    trial = train(tmp_path, task, epochs=10, max_steps=STEPS, lr_scheduler="constant", **given)
    assert marks_of(trial) == expected
