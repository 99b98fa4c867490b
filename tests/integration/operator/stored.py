"""What an operator has stored of a study, and what its status should say of that."""

from collections.abc import Mapping, Sequence
from typing import Any

from kubetune.adapters.optuna.history import read_trials
from kubetune.api import admission
from kubetune.api import status as wire
from kubetune.domain.observation import Observation
from kubetune.domain.planner import plan
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState
from tests.integration.operator.stage import Play, Study

_TIMES = frozenset({"startTime", "completionTime", "lastTransitionTime"})


def stored_trials(storage: str, namespace: str, name: str, uid: str) -> tuple[Trial, ...]:
    """Every trial of a study; none while the database does not know it."""
    try:
        return read_trials(storage, f"{namespace}/{name}/{uid}")
    except KeyError:
        return ()


def spec_of(manifest: Mapping[str, Any]) -> StudySpec:
    """The study as the engine sees it."""
    spec = admission.check(manifest).spec
    assert spec is not None
    return spec


def expected_status(
    manifest: Mapping[str, Any], trials: Sequence[Trial], study: Mapping[str, Any]
) -> dict[str, Any]:
    """The status that these trials make, told by an operator that has seen nothing else.

    `study` is the resource, for its uid and generation.
    """
    checked = admission.check(manifest, in_cluster=True)
    assert checked.spec is not None
    seen = Observation(spec=checked.spec, trials=tuple(trials), runs=(), now=0.0)
    return wire.status_of(
        plan(seen).status,
        spec=checked.spec,
        uid=study["metadata"]["uid"],
        generation=study["metadata"]["generation"],
        now=0.0,
        earlier={},
        feasible_share=checked.feasibility.share if checked.feasibility else None,
        messages=tuple(map(str, checked.warnings)),
    )


def without_times(found: Any) -> Any:
    """The same without the moments at which things were written."""
    if isinstance(found, Mapping):
        return {key: without_times(value) for key, value in found.items() if key not in _TIMES}
    if isinstance(found, list):
        return [without_times(each) for each in found]
    return found


def history_of(storage: str, study: Study) -> tuple[Trial, ...]:
    """Every trial of a study, as it is stored."""
    return stored_trials(storage, study.namespace, study.name, study.uid)


def check_history(
    storage: str,
    study: Study,
    count: int,
    play: Play,
    *,
    attempts: Mapping[int, int] | None = None,
) -> None:
    """Every trial once, ended once with its own value, after its last attempt ran once.

    `attempts` are those of trials that had more than one.
    """
    trials = history_of(storage, study)
    numbers = range(count)
    assert [trial.number for trial in trials] == list(numbers)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert all(trial.value == trial.parameters["x"] for trial in trials)
    last = [(number, (attempts or {}).get(number, 1)) for number in numbers]
    assert [(trial.number, trial.attempt) for trial in trials] == last
    assert sorted(play.ended_of(study.uid)) == last
