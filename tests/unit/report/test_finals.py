"""What the finals showed, in the report and in what is retrained from it."""

from dataclasses import replace

import pytest
from ruamel.yaml import YAML

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Constraint
from kubetune.domain.study import Adjustment, Finalists, TrialPolicy
from kubetune.domain.trial import Stage
from kubetune.report.configuration import configuration
from kubetune.report.document import document
from kubetune.report.findings import Findings, gather
from tests.builders import make_outcome, make_study, make_trial

SEARCH = [make_trial(number, value) for number, value in enumerate((0.5, 0.97, 0.9))]


def run(of: int, seed: int, value: float, number: int):
    return make_trial(number, value, stage=Stage.FINALIST, repeats=of, seed=seed)


@pytest.fixture
def findings() -> Findings:
    """The search's leader loses; the other is shown the held-out data."""
    wanted = Finalists(top=2, seeds=(7, 8), held_out_metric="test_accuracy", fixed={"epochs": 20})
    spec = make_study(finalists=wanted, trials=TrialPolicy(max=3))
    runs = [run(1, 7, 0.8, 3), run(1, 8, 0.82, 4), run(2, 7, 0.91, 5), run(2, 8, 0.89, 6)]
    outcome = make_outcome(0.9, metrics={"test_accuracy": 0.88})
    last = make_trial(7, outcome=outcome, stage=Stage.HELD_OUT, repeats=2, seed=7)
    return gather(spec, [*SEARCH, *runs, last], None)


def test_the_winner_is_the_best(findings: Findings) -> None:
    """Whatever the search had seen of the others; the held-out figure is the one to quote."""
    text = document(findings)
    assert "**Trial 2 won the finals (more is better): mean accuracy of 2 seeds 0.9 " in text
    assert "test_accuracy 0.88 on held-out data.**" in text
    assert "the search had seen 0.9 of the winner" in text
    table = text.split("## Finalists\n\n")[1].split("\n\n")[0].splitlines()
    assert [line.split("|")[1].strip() for line in table[2:]] == ["2", "1"]
    assert "that is the figure to quote" in text


def test_who_might_as_well_have_won_is_named(findings: Findings) -> None:
    """By the winner's interval: two runs say little, three that agree say more."""
    said = "The winner's interval holds the mean of trial 1: 2 runs each do not tell them apart."
    assert said in document(findings)
    spec = make_study(finalists=Finalists(top=2, seeds=(7, 8)), trials=TrialPolicy(max=3))
    runs = [run(1, 7, 0.5, 3), run(1, 8, 0.5, 4), run(2, 7, 0.9, 5), run(2, 8, 0.91, 6)]
    assert "tell them apart" not in document(gather(spec, [*SEARCH, *runs], None))


def test_what_is_retrained_is_what_won(findings: Findings) -> None:
    """With the values and a seed of the finals."""
    text = configuration(findings)
    assert text is not None
    assert text.startswith("# The winner of the finals, as it was run in them.\n")
    data = YAML(typ="safe").load(text)
    assert (data["trial"], data["seed"]) == (2, 7)
    assert data["parameters"] == {"x": 0.5, "epochs": 20}


def test_a_study_without_finals_has_no_such_section() -> None:
    """Nothing is said of what was not asked for."""
    assert "Finalists" not in document(gather(make_study(), SEARCH, None))


def test_finals_that_could_not_be_held_are_told() -> None:
    """Who looks for a winner reads why there is none."""
    never = compile_expression("epochs > 9", {"epochs": Kind.INT}, (Kind.BOOL,))
    rule = Constraint(name="short", forbid=never)
    space = replace(make_study().space, fixed={"epochs": 3}, constraints=(rule,))
    wanted = Finalists(top=1, seeds=(7,), fixed={"epochs": 20})
    spec = make_study(space=space, finalists=wanted, trials=TrialPolicy(max=3))
    text = document(gather(spec, SEARCH, None))
    told = "No finals are held: trials 1, 2, 0 are passed over: with finalists.fixed short would be"
    assert told in text.split("## Finalists\n\n")[1]


def test_runs_that_went_on_with_other_values_are_told() -> None:
    """After an out-of-memory; the values that fitted are what is trained again."""
    halve = compile_expression("batch / 2", {"batch": Kind.INT}, (Kind.INT,))
    policy = TrialPolicy(max=3, on_out_of_memory=(Adjustment(name="batch", value=halve),))
    spec = make_study(finalists=Finalists(top=1, seeds=(7, 8)), trials=policy)
    search = [replace(trial, parameters={"x": 0.5, "batch": 8}) for trial in SEARCH]
    ran = replace(run(1, 7, 0.8, 3), parameters={"x": 0.5, "batch": 4}, out_of_memory=1)
    findings = gather(spec, [*search, ran, run(1, 8, 0.82, 4)], None)
    assert "0.8, 0.82; 1 with other values after an out-of-memory" in document(findings)
    text = configuration(findings)
    assert text is not None
    assert YAML(typ="safe").load(text)["parameters"] == {"x": 0.5, "batch": 4}
