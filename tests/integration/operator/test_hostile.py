"""Trials and neighbours that lie: their words are a stranger's, and their labels anybody's.

The other trials, the other studies and the operator are to be as well as before.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from kubetune.domain.trial import TrialState
from tests.builders import make_result
from tests.integration.operator.stage import Last, Part, Study, below, completes
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

STATUS_LIMIT = 48 * 1024
"""Bytes of a status, whatever trials say; a resource may have 1.5 MiB."""

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")

GARBAGE = {
    "huge": "x" * 200_000,
    "huge and right": '{"schema": 1, "state": "Complete", "message": "' + "y" * 5000 + '"}',
    "binary": "\x00\x01\x7fELF\ufffd\ufffd\x1b[2J\u202e",
    "deep": "[" * 4000,
    "an array": "[1, 2, 3]",
    "twice": '{"schema": 1, "state": "Complete", "state": "Failed"}',
    "another trial's": '{"schema": 1, "state": "Complete", "trial": 999}',
    "too large": '{"schema": 1, "state": "Complete", "metrics": {"accuracy": 1e999}}',
    "ten thousand digits": '{"schema": 1, "state": "Complete", "step": ' + "9" * 4000 + "}",
    "a number in words": '{"schema": 1, "state": "Complete", "metrics": {"accuracy": "9"}}',
    "a nan in JSON": '{"schema": 1, "state": "Complete", "metrics": {"accuracy": NaN}}',
    "PromQL": '{"schema": 1, "state": "Complete", "metrics": {"a{b=\\"c\\"}or(d)": 1}}',
    "SQL": '{"schema": 1, "state": "Complete", "metrics": {"a\'); DROP TABLE trials;--": 1}}',
    "HTML": '{"schema": 1, "state": "<script>alert(1)</script>"}',
    "shell": '{"schema": 1, "state": "Complete", "step": "$(reboot)"}',
    "unknown schema": '{"schema": 2, "state": "Complete"}',
}
"""Last words that break the contract, each in its way; the exit code is 0."""

ODD = {
    "a surrogate": '{"schema": 1, "state": "Failed", "message": "\\ud800 \\u0000 \\u001b[31m red"}',
    "a format": '{"schema": 1, "state": "Failed", "reason": "%s%n{0.__class__}${jndi:ldap://x}"}',
    "a reason of ours": '{"schema": 1, "state": "Failed", "reason": "Disrupted"}',
    "not finite": '{"schema": 1, "state": "Complete", "metrics": {"accuracy": "NaN"}}',
    "infinite": '{"schema": 1, "state": "Complete", "metrics": {"accuracy": "Infinity"}}',
}
"""Last words that keep the contract and give no usable value."""


def says(words: list[str]) -> Any:
    """Each trial says its own; whoever has none completes."""

    def script(part: Part) -> Last | None:
        told = words[part.number] if part.number < len(words) else None
        return completes(part) if told is None else Last(message=told)

    return script


def test_last_words_are_a_strangers(theatre: Theatre) -> None:
    """No garbage becomes a value, a name or a control character anywhere; what is said is bounded.

    A study in another namespace goes on meanwhile, and the trials beside keep their values.
    """
    words = [*GARBAGE.values(), *ODD.values()]
    count = len(words) + 2
    theatre.play.script = says(words)
    limits = {"max": count, "parallelism": 6, "maxFailed": count}
    study = theatre.study("strangers", trials=limits)
    neighbour = theatre.study("neighbour", namespace=theatre.other_namespace)
    status = study.finish()
    assert neighbour.finish()["trials"]["complete"] == 3
    history = history_of(theatre.operator.storage, study)
    kinds = dict(zip([*GARBAGE, *ODD], history, strict=False))
    for kind in GARBAGE:
        outcome = kinds[kind].outcome
        assert outcome is not None
        assert (outcome.state, outcome.reason.value) == (TrialState.FAILED, "BadReport"), kind
        assert not outcome.metrics
    for kind in ODD:
        outcome = kinds[kind].outcome
        assert outcome is not None
        assert outcome.reason.value != "Disrupted"
        assert outcome.state is TrialState.FAILED, kind
    assert [trial.value for trial in history[-2:]] == [t.parameters["x"] for t in history[-2:]]
    assert status["best"]["value"] in {trial.value for trial in history[-2:]}
    shown = json.dumps(status, ensure_ascii=False)
    assert len(shown.encode()) < STATUS_LIMIT
    for told in (shown, theatre.operator.log, *study.events):
        assert not UNPRINTABLE.search(told)
    assert theatre.operator.healthy()
    assert "Traceback" not in theatre.operator.log
    assert "<script>" not in theatre.operator.metrics()


def labels(study: Study, number: int, attempt: int = 1) -> dict[str, str]:
    """All labels that the operator gives its own."""
    return {
        "app.kubernetes.io/managed-by": "kubetune",
        "kubetune.io/study": study.name,
        "kubetune.io/study-uid": study.uid,
        "kubetune.io/trial": str(number),
        "kubetune.io/attempt": str(attempt),
    }


def template(given: Mapping[str, str]) -> dict[str, Any]:
    """A stranger's pod."""
    container = {"name": "trainer", "image": "none"}
    spec = {"containers": [container], "restartPolicy": "Never"}
    return {"metadata": {"labels": dict(given)}, "spec": spec}


class Strangers:
    """Somebody else who may create Jobs and pods in a namespace."""

    def __init__(self, theatre: Theatre) -> None:
        self.theatre = theatre
        self.uids: set[str] = set()

    def job(
        self,
        name: str,
        inside: Mapping[str, str],
        *,
        outside: Mapping[str, str] | None = None,
    ) -> str:
        """A Job whose pods have these labels; its path."""
        path = f"/apis/batch/v1/namespaces/{self.theatre.namespace}/jobs"
        meta = {"name": name, "labels": dict(outside or {})}
        body = {"metadata": meta, "spec": {"backoffLimit": 0, "template": template(inside)}}
        made = self.theatre.plane.request("POST", path, body)
        self.uids.add(made["metadata"]["uid"])
        return f"{path}/{name}"

    def pod(self, namespace: str, name: str, given: Mapping[str, str]) -> None:
        """A pod without an owner."""
        body = template(given)
        body["metadata"]["name"] = name
        path = f"/api/v1/namespaces/{namespace}/pods"
        made = self.theatre.plane.request("POST", path, body)
        self.uids.add(made["metadata"]["uid"])

    def made(self, part: Part) -> bool:
        """Whether a pod is theirs."""
        meta = part.pod["metadata"]
        owners = {owner["uid"] for owner in meta.get("ownerReferences", ())}
        return bool({meta["uid"], *owners} & self.uids)

    def boast(self, part: Part) -> Last | None:
        """Their pods claim the best value there is; the study's own go on."""
        return Last(message=make_result(999.0).decode()) if self.made(part) else None


def test_labels_are_anybodys(theatre: Theatre) -> None:
    """Jobs and pods with a study's labels, without its hand: none counts, none is touched.

    Neither for a trial that runs, nor for one that is still to come or never will.
    """
    theatre.play.script = below(0)
    study = theatre.study("mine", trials={"max": 4, "parallelism": 2})
    study.until(lambda: len(study.running) == 2, "two trials to run")
    strangers = Strangers(theatre)
    for play in theatre.plays.values():
        play.script = strangers.boast
    paths = []
    for number in (0, 2, 77):
        given = labels(study, number)
        paths += [
            strangers.job(f"inside-{number}", given),
            strangers.job(f"both-{number}", given, outside=given),
        ]
        strangers.pod(theatre.namespace, f"bare-{number}", given)
        strangers.pod(theatre.other_namespace, f"elsewhere-{number}", given)
    study.until(lambda: len(boasts(theatre, study)) == 4 * 3, "all that they claim to be said")
    assert (study.counts["complete"], sorted(study.running)) == (0, [0, 1])
    theatre.play.script = lambda part: (
        strangers.boast(part) if strangers.made(part) else completes(part)
    )
    status = study.finish()
    assert (status["trials"]["total"], status["trials"]["complete"]) == (4, 4)
    history = history_of(theatre.operator.storage, study)
    assert [trial.value for trial in history] == [trial.parameters["x"] for trial in history]
    assert {trial.attempt for trial in history} == {1}
    for path in paths:
        assert theatre.plane.request("GET", path)["metadata"].get("deletionTimestamp") is None
    assert theatre.operator.healthy()


def boasts(theatre: Theatre, study: Study) -> list[tuple[int, int]]:
    """The strangers' pods that have ended so far."""
    return [each for play in theatre.plays.values() for each in play.ended_of(study.uid)]


def test_a_job_of_our_name_that_is_anothers_costs_its_trial_alone(theatre: Theatre) -> None:
    """It is neither taken for the trial's nor deleted: the trial says whose way it is in."""
    theatre.play.script = below(0)
    study = theatre.study("squatted", trials={"max": 3, "parallelism": 1, "maxFailed": 3})
    study.until(lambda: study.running == [0], "the first trial to run")
    (first,) = study.jobs
    name = first["metadata"]["name"].removesuffix("-0") + "-1"
    strangers = Strangers(theatre)
    path = strangers.job(name, labels(study, 1), outside=labels(study, 1))
    theatre.play.script = lambda part: (
        strangers.boast(part) if strangers.made(part) else completes(part)
    )
    counts = study.finish()["trials"]
    assert (counts["complete"], counts["failed"]) == (2, 1)
    squatted = history_of(theatre.operator.storage, study)[1].outcome
    assert squatted is not None
    assert squatted.reason.value == "LaunchFailed"
    assert f"there is a Job {name} that is not of this study" in squatted.message
    assert theatre.plane.request("GET", path)


@pytest.mark.parametrize("value", ["a\u001b[2Jb\nc\u0000d", "x" * 300 + "\r\nHTTP/1.1 200"])
def test_a_studys_strings_reach_no_log(theatre: Theatre, value: str) -> None:
    """They are its author's, another stranger: what is drawn from is kept, or refused, as it is."""
    parameters = [
        {"name": "x", "type": "Double", "min": 0, "max": 1},
        {"name": "odd", "type": "Categorical", "values": [value, "plain"]},
    ]
    name = f"strings-{len(value)}"
    study = theatre.study(name, parameters=parameters)
    study.until(lambda: study.ended or study.status.get("phase") == "Invalid", "what becomes of it")
    for told in (theatre.operator.log, *study.events):
        assert not UNPRINTABLE.search(told)
    assert theatre.operator.healthy()
