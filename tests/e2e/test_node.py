"""What a node does to trials: drains, dies, is too small, too busy, or cannot have an image."""

from typing import Any

import pytest

from kubetune.domain.trial import Trial
from tests.e2e.lab import GOES_ON, ROOT, STEPS, Lab, Study, complete, python, shell

NO_IMAGE = "127.0.0.1:9/nobody/nothing:1"
"""Nothing listens there."""


def gpus(count: int) -> dict[str, Any]:
    return {"resources": {"limits": {"nvidia.com/gpu": count}}}


def end_of(trial: Trial) -> tuple[str, str, int]:
    assert trial.outcome is not None
    return trial.state, trial.outcome.reason, trial.attempt


def attempt(study: Study, number: int) -> dict[str, Any]:
    study.until(lambda: study.running_pod(attempt=number), f"attempt {number}")
    pod = study.running_pod(attempt=number)
    assert pod
    return pod


def test_an_evicted_trial_goes_on_from_its_checkpoint(lab: Lab) -> None:
    """The second attempt begins at the step after the last saved one; one retry is counted."""
    claim, _ = lab.claim()
    study = lab.study(
        python(STEPS, **ROOT),
        checkpoints={"claimName": claim},
        trials={"retries": {"disruption": 1}},
    )
    study.until(lambda: "1 3 saved" in study.record(), "the third step")
    study.evict(attempt(study, 1))
    (trial,) = study.finish().values()
    assert study.record() == GOES_ON
    assert (trial.attempt, trial.disruptions) == (2, 1)
    assert (trial.state, trial.value) == ("Complete", 1 / 6)
    assert trial.curve[0].metrics == {"loss": 1.0}
    assert len([event for event in study.events if event.startswith("TrialRetried")]) == 1


def test_a_preempted_trial_goes_on_in_another_pod(lab: Lab) -> None:
    """A queue takes its place away: it saves, waits, and goes on as the same attempt.

    The queue is played: Kueue itself is not here, and does no more to a Job than this.
    """
    claim, _ = lab.claim()
    study = lab.study(python(STEPS, **ROOT), checkpoints={"claimName": claim})
    study.until(lambda: "1 3 saved" in study.record(), "the third step")
    study.queue(held=True)
    study.until(lambda: not study.pods, "its pod to go")
    study.until(lambda: "queued" in study.active.get(0, {}).get("waiting", ""), "word of it")
    study.signal("go")
    study.queue(held=False)
    (trial,) = study.finish().values()
    assert study.record() == [f"1{line[1:]}" for line in GOES_ON]
    assert (trial.attempt, trial.disruptions) == (1, 0)
    assert (trial.state, trial.value) == ("Complete", 1 / 6)


def test_a_result_counts_that_comes_as_the_place_is_taken(lab: Lab) -> None:
    """A trial that completes within its grace period has completed: it is not run again."""
    ending = f"trap '{complete(0.5)}; exit 0' TERM"
    script = f"{ending}; echo began >> /lab/record-0; while :; do sleep 0.1; done"
    study = lab.study(shell(script), pod={"terminationGracePeriodSeconds": 20})
    attempt(study, 1)
    study.until(lambda: study.record() == ["began"], "it to begin")
    study.queue(held=True)
    study.until(lambda: not study.pods, "its pod to go")
    if study.jobs:
        study.queue(held=False)
    (trial,) = study.finish().values()
    assert (trial.state, trial.value, trial.attempt) == ("Complete", 0.5, 1)
    assert study.record() == ["began"]


def test_a_trial_is_not_retried_for_ever(lab: Lab) -> None:
    """An eviction after the last retry ends the trial, also one that does not hear SIGTERM."""
    study = lab.study(shell("sleep 600"), trials={"retries": {"disruption": 1}})
    study.evict(attempt(study, 1))
    study.evict(attempt(study, 2))
    (trial,) = study.finish().values()
    assert end_of(trial) == ("Failed", "Disrupted", 2)
    assert trial.outcome is not None
    assert "all 1 retries are used" in trial.outcome.message


def test_a_node_that_dies_and_comes_back_loses_nothing(lab: Lab) -> None:
    """Trials that ran there go on from their checkpoints; one that waits for a node runs then."""
    claim, _ = lab.claim()
    study = lab.study(
        python(STEPS, **ROOT),
        checkpoints={"claimName": claim},
        trials={"max": 3, "parallelism": 2},
    )
    both = (0, 1)
    study.until(lambda: all("1 3 saved" in study.record(n) for n in both), "the third steps")
    node = lab.cluster.node
    node.stop_kubelet(grace_seconds=0)
    try:
        node.kill_pods()
        node.delete()
        study.signal("go")
    finally:
        node.start_kubelet()
    trials = study.finish()
    for number in both:
        assert study.record(number) == [line for line in GOES_ON if line != "1 stopped"]
        assert (trials[number].state, trials[number].attempt) == ("Complete", 2)
        assert trials[number].disruptions == 1
    assert len(study.record(2)) == 7
    assert {trial.value for trial in trials.values()} == {1 / 6}
    assert len(trials) == 3


def test_busy_gpus_are_waited_for(lab: Lab) -> None:
    """The third trial on two GPUs says why it waits, and runs as soon as one is free."""
    study = lab.study(
        shell(f"while [ ! -e /lab/go ]; do sleep 0.1; done; {complete()}", **gpus(1)),
        trials={"max": 3, "parallelism": 3},
    )

    def waits() -> list[str]:
        return [trial["waiting"] for trial in study.active.values() if "waiting" in trial]

    study.until(lambda: len(waits()) == 1 and "nvidia.com/gpu" in waits()[0], "one to wait")
    running = [pod for pod in study.pods if pod["status"]["phase"] == "Running"]
    assert len(running) == 2
    study.signal("go")
    trials = study.finish()
    assert {end_of(trial) for trial in trials.values()} == {("Complete", "", 1)}
    assert len(trials) == 3


@pytest.mark.parametrize(
    ("container", "reason", "words"),
    [
        ({**shell("true"), **gpus(5)}, "Unschedulable", "Insufficient nvidia.com/gpu"),
        ({"image": NO_IMAGE}, "ImagePullFailed", NO_IMAGE),
    ],
)
def test_what_cannot_start_is_said_and_ends(
    lab: Lab, container: dict[str, Any], reason: str, words: str
) -> None:
    """The status says what a trial waits for; in the end it fails with that, not tried again."""
    study = lab.study(container, trials={"pendingTimeoutSeconds": 600})
    study.until(lambda: words in study.active.get(0, {}).get("waiting", ""), "the words")
    study.patch(trials={"pendingTimeoutSeconds": 1})
    (trial,) = study.finish().values()
    assert end_of(trial) == ("Failed", reason, 1)
    assert trial.outcome is not None
    assert words in trial.outcome.message
    assert "trials.pendingTimeoutSeconds is 1" in trial.outcome.message
    assert [event for event in study.events if event.startswith("TrialFailed") and words in event]
    study.until(lambda: not study.pods, "its pod to go")
