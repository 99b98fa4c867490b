"""What a study found, in a ConfigMap that it owns, and the commands that read it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from kubetune.cli.main import app
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer
from tests.cluster.requests import Refused
from tests.integration.operator.stage import MERGE, Study, below
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

pytestmark = pytest.mark.timeout(300)

CONFIGMAPS = r"/configmaps/"


def path_of(study: Study) -> str:
    name = f"{study.name}-{study.uid.replace('-', '')[:6]}-results"
    return f"/api/v1/namespaces/{study.namespace}/configmaps/{name}"


def found(study: Study) -> dict[str, Any]:
    """The ConfigMap."""
    return dict(study.plane.request("GET", path_of(study)))


def there(study: Study) -> bool:
    try:
        found(study)
    except Refused as refused:
        if refused.status == 404:
            return False
        raise
    return True


def ask(study: Study, *words: str, user: str = "admin") -> tuple[int, str, str]:
    """A command about the study: exit code, standard output, standard error."""
    name, *rest = words
    access = [f"--kubeconfig={study.plane.kubeconfig_for(user)}", "-n", study.namespace]
    done = CliRunner().invoke(app, [name, f"study/{study.name}", *access, *rest])
    return done.exit_code, done.stdout, done.stderr


def test_who_waits_for_the_end_finds_the_results(theatre: Theatre, tmp_path: Path) -> None:
    """The ConfigMap is there before the status says so; it is the study's, and goes with it."""
    study = theatre.study("found", trials={"max": 4, "parallelism": 2})
    study.finish()
    results = found(study)
    (owner,) = results["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("TuningStudy", study.uid)
    assert results["data"].keys() == {"REPORT.md", "best_config.yaml", "summary.json"}
    assert results["binaryData"].keys() == {"results.json.gz"}
    summary = json.loads(results["data"]["summary.json"])
    assert (summary["ended"], summary["counts"]["complete"]) == (True, 4)
    assert summary["best"]["number"] == study.status["best"]["number"]
    assert len([one for one in theatre.proxy.seen if re.search(path_of(study), one.path)]) == 1

    code, said, errors = ask(study, "report", "-o", str(tmp_path))
    assert (code, errors) == (0, ""), errors
    assert "4 trials" in said
    assert (tmp_path / "best_config.yaml").read_text() == results["data"]["best_config.yaml"]
    code, said, errors = ask(study, "trials", "--format", "json")
    assert (code, errors) == (0, ""), errors
    values = [json.loads(line)["values"]["accuracy"] for line in said.splitlines()]
    stored = history_of(theatre.operator.storage, study)
    assert values == [trial.value for trial in stored]
    code, again, errors = ask(
        study, "trials", "--format", "json", f"--storage={theatre.operator.storage}"
    )
    assert (code, again, errors) == (0, said, "")

    study.delete()
    study.until(lambda: not there(study), "the ConfigMap to go with its study")


def test_a_right_that_is_missing_is_told_once(theatre: Theatre) -> None:
    """One request, one Warning that names the right; the study ends as if nothing were."""
    refusal = Answer(403, 'User "operator" cannot patch resource "configmaps"', "Forbidden")
    rule = theatre.proxy.add(refusal, "PATCH", CONFIGMAPS, count=None)
    study = theatre.study("unheard")
    assert study.finish()["phase"] == "Succeeded"
    study.until(lambda: any("ResultsNotWritten" in each for each in study.events), "word of it")
    (told,) = [each for each in study.events if each.startswith("ResultsNotWritten")]
    assert "the operator must create and patch configmaps" in told
    assert rule.hits == 1
    code, _, errors = ask(study, "trials")
    assert code == 2
    assert "has no results yet, and has ended" in errors
    assert "--storage URL" in errors


def test_a_server_that_is_busy_is_asked_again(theatre: Theatre) -> None:
    """Until it takes them; the end is told only then."""
    rule = theatre.proxy.add(Answer(503), "PATCH", CONFIGMAPS, count=2)
    study = theatre.study("patient")
    study.finish()
    assert rule.hits == 2
    assert there(study)
    assert not any("ResultsNotWritten" in each for each in study.events)


def test_a_study_that_goes_on_after_its_end_has_new_results(theatre: Theatre) -> None:
    """Those of all its trials, in the same ConfigMap."""
    study = theatre.study("longer")
    study.finish()
    study.patch(trials={"max": 5})
    study.until(lambda: study.counts["complete"] == 5 and study.ended, "two more")
    assert json.loads(found(study)["data"]["summary.json"])["counts"]["complete"] == 5


def test_a_paused_study_has_results_to_look_at(theatre: Theatre) -> None:
    """Of what ended until then; what it has shown since is said to be missing."""
    theatre.play.script = below(2)
    study = theatre.study("looked-at", trials={"max": 5, "parallelism": 1})
    study.until(lambda: study.running == [2], "two to end")
    code, _, errors = ask(study, "trials")
    assert code == 2
    assert "has no results yet, and has not ended" in errors
    study.patch(suspend=True)
    study.until(lambda: there(study), "results")
    assert json.loads(found(study)["data"]["summary.json"])["counts"]["complete"] == 2
    theatre.proxy.add(Answer(403), "PATCH", CONFIGMAPS, count=None)
    theatre.play.script = below(5)
    study.patch(suspend=False)
    study.finish()
    code, said, errors = ask(study, "trials", "--format", "json")
    assert (code, len(said.splitlines())) == (0, 3)
    assert "3 trials ended after it was written" in errors


def test_what_cannot_be_read_is_said_in_a_sentence(
    theatre: Theatre, control_plane: ControlPlane
) -> None:
    """No such study, no right, a ConfigMap that somebody has edited, another cluster."""
    study = theatre.study("told")
    study.finish()

    def refusal(*words: str, user: str = "admin") -> str:
        code, said, errors = ask(study, "trials", *words, user=user)
        assert (code, said, errors.count("\n")) == (2, "", 1)
        return errors

    assert f"no study 'told' in namespace '{theatre.other_namespace}'" in refusal(
        "-n", theatre.other_namespace
    )
    assert 'User "alice" cannot get resource "tuningstudies"' in refusal(user="alice")
    assert "context" in refusal("--context=nowhere")
    control_plane.request("PATCH", path_of(study), {"binaryData": {"results.json.gz": ""}}, MERGE)
    assert "cannot be read" in refusal()
    control_plane.request("PATCH", path_of(study), {"binaryData": None}, MERGE)
    assert "results.json.gz is missing" in refusal()
    assert "no such file" in refusal("--storage=sqlite:////nowhere.db")
