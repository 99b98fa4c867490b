"""The operator's own metrics: true, bounded, and gone with their study."""

from urllib.request import urlopen

import pytest
from prometheus_client import generate_latest

from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import Condition, ConditionType, Counts, StudyStatus, Truth
from kubetune.domain.trial import TrialState
from kubetune.domain.usage import Usage
from tests.builders import make_trial

STUDY = 'namespace="team",study="digits"'
TOP = "kubetune_study_top_parameter"
CRASHED = TrialReason.CRASHED


def make_status(**changes: object) -> StudyStatus:
    values = {
        "phase": "Running",
        "conditions": (
            Condition(ConditionType.STORAGE_REACHABLE, Truth.TRUE, StudyReason.AS_EXPECTED),
            Condition(ConditionType.METRICS_REACHABLE, Truth.FALSE, StudyReason.AS_EXPECTED),
        ),
        "counts": Counts(total=5, active=2, complete=2, failed=1, rejected={"too-big": 7}),
        "best": make_trial(1, 0.9),
        "baseline": make_trial(0, 0.5),
        "improvement": 0.8,
        "recent": (make_trial(3), make_trial(2, 0.7)),
        "waits": {"Unschedulable": 30, "Queued": 2},
        "outcomes": {"usable": 3},
        "ends": {(TrialState.COMPLETE, TrialReason.NONE): 2, (TrialState.FAILED, CRASHED): 1},
        "top": (make_trial(1, 0.9, parameters={"x": 0.1 + 0.2, "kind": "a", "epochs": 4}),),
        "usage": Usage(gpus=2, gpu_hours=1.5, shares={"gpuHours": 0.75, "trials": 0.5}),
    }
    return StudyStatus(**(values | changes))  # type: ignore[arg-type]


def shown(exporter: Exporter) -> set[str]:
    """Every sample line."""
    lines = generate_latest(exporter.registry).decode().splitlines()
    return {line for line in lines if not line.startswith("#")}


def line(name: str, number: float, /, **labels: str) -> str:
    """A sample of the study, its labels in their order."""
    every = sorted({"namespace": "team", "study": "digits", **labels}.items())
    inner = ",".join(f'{key}="{text}"' for key, text in every)
    return f"{name}{{{inner}}} {float(number)}"


def test_a_status_becomes_numbers() -> None:
    """What a study's status says, dashboards see, after its pods are long gone."""
    exporter = Exporter()
    exporter.publish("team", "digits", make_status(), metric="accuracy")
    assert shown(exporter) >= {
        'kubetune_studies{phase="Running"} 1.0',
        'kubetune_study_trials{namespace="team",state="Active",study="digits"} 2.0',
        'kubetune_study_trials{namespace="team",state="Failed",study="digits"} 1.0',
        f'kubetune_study_rejected_draws_total{{constraint="too-big",{STUDY}}} 7.0',
        f'kubetune_study_best_value{{metric="accuracy",{STUDY}}} 0.9',
        f'kubetune_study_last_value{{metric="accuracy",{STUDY}}} 0.7',
        f'kubetune_study_baseline_value{{metric="accuracy",{STUDY}}} 0.5',
        f'kubetune_study_improvement_ratio{{metric="accuracy",{STUDY}}} 0.8',
        'kubetune_study_outcome_trials{namespace="team",outcome="usable",study="digits"} 3.0',
        'kubetune_study_phase{namespace="team",phase="Running",study="digits"} 1.0',
        line("kubetune_study_ended_trials", 2, state="Complete", reason=""),
        line("kubetune_study_ended_trials", 1, state="Failed", reason="Crashed"),
        f"kubetune_study_gpus{{{STUDY}}} 2.0",
        f"kubetune_study_gpu_hours{{{STUDY}}} 1.5",
        f'kubetune_study_budget_used_ratio{{budget="gpuHours",{STUDY}}} 0.75',
        f'kubetune_study_budget_used_ratio{{budget="trials",{STUDY}}} 0.5',
        f"kubetune_study_waiting_trials{{{STUDY}}} 32.0",
        'kubetune_study_waits{namespace="team",reason="Unschedulable",study="digits"} 30.0',
        'kubetune_study_waits{namespace="team",reason="Queued",study="digits"} 2.0',
        'kubetune_study_waits{namespace="team",reason="ImagePullFailed",study="digits"} 0.0',
        f"kubetune_study_storage_reachable{{{STUDY}}} 1.0",
        f"kubetune_study_metrics_reachable{{{STUDY}}} 0.0",
    }


def test_the_best_trials_are_shown_with_what_was_drawn() -> None:
    """What a trial was drawn with stays visible when its pod is gone; fixed values do not crowd."""
    exporter = Exporter()
    exporter.publish("team", "digits", make_status())
    assert {line for line in shown(exporter) if "_top_" in line} == {
        'kubetune_study_top_value{namespace="team",rank="1",study="digits",trial="1"} 0.9',
        line(TOP, 1, parameter="x", rank="1", trial="1", value="0.3"),
    }


def test_strangers_words_stay_within_their_label() -> None:
    """A parameter's text is cut and escaped; no more than sixteen parameters are shown."""
    words = {"p0": 'a"} 1\nevil 2' + "b" * 100} | {f"p{n}": n for n in range(1, 40)}
    trial = make_trial(1, 0.9, parameters=words, active=frozenset(words))
    exporter = Exporter()
    exporter.publish("team", "digits", make_status(top=(trial,)))
    found = [line for line in shown(exporter) if "_top_parameter" in line]
    assert len(found) == 16
    assert max(map(len, found)) < 300
    assert not [line for line in shown(exporter) if line.startswith("evil")]


def test_a_study_that_nobody_follows_is_shown_as_its_status_stands() -> None:
    """After a restart dashboards still have the studies that ended before it."""
    told = {
        "phase": "Succeeded",
        "trials": {"total": 5, "active": 0, "complete": 4, "pruned": 0, "failed": 1},
        "rejectedDraws": {"too-big": 7},
        "outcomes": {"usable": 3},
        "best": {
            "number": 2,
            "value": 0.9,
            "improvement": 0.8,
            "parameters": {"x": 0.25, "epochs": 4, "deep": True},
        },
        "budget": {"gpuHours": 1.5},
        "recent": [{"number": 3}, {"number": 2, "value": 0.7}],
        "conditions": [
            {"type": "StorageReachable", "status": "True"},
            {"type": "MetricsReachable", "status": "Unknown"},
            {"type": "Succeeded", "status": "True"},
        ],
    }
    exporter = Exporter()
    exporter.recall("team", "digits", told, metric="accuracy", drawn=("x", "deep", "gone"))
    assert shown(exporter) >= {
        'kubetune_studies{phase="Succeeded"} 1.0',
        'kubetune_study_trials{namespace="team",state="Active",study="digits"} 0.0',
        'kubetune_study_trials{namespace="team",state="Complete",study="digits"} 4.0',
        'kubetune_study_trials{namespace="team",state="Infeasible",study="digits"} 0.0',
        f'kubetune_study_rejected_draws_total{{constraint="too-big",{STUDY}}} 7.0',
        f'kubetune_study_best_value{{metric="accuracy",{STUDY}}} 0.9',
        f'kubetune_study_last_value{{metric="accuracy",{STUDY}}} 0.7',
        f'kubetune_study_improvement_ratio{{metric="accuracy",{STUDY}}} 0.8',
        'kubetune_study_outcome_trials{namespace="team",outcome="usable",study="digits"} 3.0',
        f"kubetune_study_storage_reachable{{{STUDY}}} 1.0",
        'kubetune_study_phase{namespace="team",phase="Succeeded",study="digits"} 1.0',
        f"kubetune_study_gpu_hours{{{STUDY}}} 1.5",
        'kubetune_study_top_value{namespace="team",rank="1",study="digits",trial="2"} 0.9',
        line(TOP, 1, parameter="x", rank="1", trial="2", value="0.25"),
        line(TOP, 1, parameter="deep", rank="1", trial="2", value="true"),
    }
    unknown = ("metrics_reachable", "_gpus", "budget_used", "ended_trials", "epochs")
    assert not [each for each in shown(exporter) if any(word in each for word in unknown)]


def test_of_a_study_that_never_began_only_its_phase_is_shown() -> None:
    """A status without trials, or without anything, is no error."""
    exporter = Exporter()
    exporter.recall("team", "wrong", {"phase": "Invalid"})
    exporter.recall("team", "early", {})
    assert shown(exporter) >= {
        'kubetune_studies{phase="Invalid"} 1.0',
        'kubetune_studies{phase="Unknown"} 1.0',
    }
    assert not [line for line in shown(exporter) if "best_value" in line]


def test_what_is_not_known_is_absent() -> None:
    """Without a best trial there is no value of it: a zero would be a lie."""
    exporter = Exporter()
    exporter.publish("team", "digits", make_status(best=None, baseline=None, improvement=None))
    names = {line.partition("{")[0] for line in shown(exporter)}
    assert "kubetune_study_trials" in names
    assert not {"kubetune_study_best_value", "kubetune_study_improvement_ratio"} & names


def test_a_removed_studys_series_end() -> None:
    """Nothing labelled by a study outlives it; removing an unknown one is no error."""
    exporter = Exporter()
    exporter.publish("team", "digits", make_status())
    exporter.reconciled("team", "digits", 0.01)
    exporter.loop_failed("team", "digits")
    exporter.removed("team", "digits")
    exporter.removed("team", "digits")
    assert not [line for line in shown(exporter) if "digits" in line or "phase=" in line]


def test_series_do_not_grow_with_trials() -> None:
    """A study of ten thousand trials has as many series as one of ten."""
    sizes = []
    for total in (10, 10_000):
        exporter = Exporter()
        exporter.publish("team", "digits", make_status(counts=Counts(total=total, complete=total)))
        sizes.append(len(shown(exporter)))
    assert sizes[0] == sizes[1]


def test_passes_draws_and_events_are_counted() -> None:
    """Each hook has its series."""
    exporter = Exporter()
    events = [Event(EventReason.TRIAL_LAUNCHED, "trial 1", 1)] * 2
    exporter.publish("team", "digits", make_status(), events)
    exporter.reconciled("team", "digits", 0.01)
    exporter.loop_failed("team", "digits")
    exporter.woke(0.2)
    exporter.drawn(0.3)
    exporter.started(42)
    assert shown(exporter) >= {
        'kubetune_events_total{reason="TrialLaunched"} 2.0',
        'kubetune_reconciles_total{namespace="team",result="success",study="digits"} 1.0',
        'kubetune_reconciles_total{namespace="team",result="error",study="digits"} 1.0',
        "kubetune_reconcile_duration_seconds_count 1.0",
        "kubetune_wake_latency_seconds_sum 0.2",
        "kubetune_draw_duration_seconds_sum 0.3",
        'kubetune_queue_duration_seconds_bucket{le="60.0"} 1.0',
        'kubetune_queue_duration_seconds_bucket{le="30.0"} 0.0',
    }


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/apis/batch/v1/namespaces/team/jobs", "jobs"),
        ("/apis/batch/v1/namespaces/team/jobs/digits-1?propagationPolicy=Background", "jobs"),
        ("/api/v1/namespaces/team/pods", "pods"),
        ("/api/v1/namespaces/team", "namespaces"),
        (
            "/apis/kubetune.io/v1alpha1/namespaces/team/tuningstudies/digits/status",
            "tuningstudies/status",
        ),
        ("/apis/kubetune.io/v1alpha1/tuningstudies", "tuningstudies"),
        ("/version", "other"),
        ("/api/v1/namespaces/team/pods/a/exec/../../../..", "other"),
    ],
)
def test_requests_are_counted_by_resource(path: str, resource: str) -> None:
    """Names of objects never become labels: there are as many series as kinds of requests."""
    exporter = Exporter()
    exporter.requested("GET", path, 200, 0.1)
    line = f'kubetune_api_requests_total{{code="200",resource="{resource}",verb="GET"}} 1.0'
    assert line in shown(exporter)


def test_accepted_jobs_are_launches() -> None:
    """A Job that was there already, or refused, is no launch."""
    exporter = Exporter()
    for status in (201, 409, 0):
        exporter.requested("POST", "/apis/batch/v1/namespaces/team/jobs", status, 0.1)
    assert "kubetune_launches_total 1.0" in shown(exporter)


def test_the_port_is_served_and_freed() -> None:
    """The metrics stand on the given address until the exporter is closed."""
    exporter = Exporter()
    port = exporter.serve("127.0.0.1:0")
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        assert b"kubetune_build_info{" in answer.read()
    exporter.close()
    exporter.close()
    again = Exporter()
    assert again.serve(f"127.0.0.1:{port}") == port
    again.close()


@pytest.mark.parametrize("address", ["9090", ":9090", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_that_is_none(address: str) -> None:
    """An address without host or port is refused with what to write."""
    with pytest.raises(ValueError, match="HOST:PORT"):
        Exporter().serve(address)
