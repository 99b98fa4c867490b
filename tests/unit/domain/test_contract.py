"""What every trial is told."""

import json

from kubetune.domain import contract
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.trial import Stage
from tests.builders import make_study, make_trial


def make_order(**trial: object) -> LaunchOrder:
    return LaunchOrder(spec=make_study(), study_uid="uid", trial=make_trial(4, **trial))


def test_values_are_written_for_any_language() -> None:
    """Floats keep every digit, truths are lower case, text is itself."""
    values = {"rate": 6e-05, "third": 1 / 3, "n": 3, "on": True, "off": False, "text": "a $b"}
    assert contract.parameters(make_order(parameters=values)) == {
        "KUBETUNE_PARAM_rate": "6e-05",
        "KUBETUNE_PARAM_third": "0.3333333333333333",
        "KUBETUNE_PARAM_n": "3",
        "KUBETUNE_PARAM_on": "true",
        "KUBETUNE_PARAM_off": "false",
        "KUBETUNE_PARAM_text": "a $b",
    }


def test_the_description_holds_everything() -> None:
    """One variable tells the whole trial, with parameters in their own kinds."""
    order = make_order(parameters={"on": True}, attempt=2, seed=9, stage=Stage.FINALIST)
    assert json.loads(contract.describe(order, resume=True)) == {
        "schema": 1,
        "study": "study",
        "namespace": "default",
        "uid": "uid",
        "trial": 4,
        "attempt": 2,
        "stage": "finalist",
        "seed": 9,
        "objectives": ["accuracy"],
        "reportIntervalSeconds": 10.0,
        "resume": True,
        "parameters": {"on": True},
    }
