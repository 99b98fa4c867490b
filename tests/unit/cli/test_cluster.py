"""study/NAME: what is understood of a study of a cluster, and said where it is not."""

import pytest

from kubetune.adapters.kubernetes.results import Files
from kubetune.cli import cluster
from kubetune.cli.cluster import Access, Found
from kubetune.controller.resource import Resource
from kubetune.domain.reasons import StudyReason
from kubetune.report.parcel import pack
from tests.builders import NOW
from tests.unit.controller.world import make_body
from tests.unit.report import made


def found(status=None, files=None):
    return Found(Resource.of(make_body(status=status)), files)


def files(*trials, **changes):
    packed = pack(made.study(**changes), trials, None, now=NOW)
    return Files(packed.text, packed.packed)


def ended(reason):
    condition = {"type": "Succeeded", "status": "True", "reason": reason, "message": "as told"}
    return {"completionTime": "2026-01-01T00:00:00Z", "conditions": [condition]}


def test_how_the_study_stands():
    """What the status says; nothing of one that has none, or a word of a newer operator."""
    assert found(ended("TargetReached")).status.reason is StudyReason.TARGET_REACHED
    assert found(ended("TargetReached")).status.ended
    assert found(ended("Enchanted")).status.reason is StudyReason.RUNNING
    assert not found().status.ended


def test_the_name_in_the_database():
    """As the operator calls it."""
    one = found()
    assert one.stored_name == f"default/study/{one.resource.uid}"


def test_trials_of_a_configmap(capsys):
    """As they were packed, and no word where nothing is missing."""
    one = found({"trials": {"total": 12, "active": 0}}, files(*made.trials()))
    assert len(cluster.stored(one).trials) == 12
    assert capsys.readouterr().err == ""


def test_trials_that_came_later_are_said_to_be_missing(capsys):
    """The status has counted three more."""
    one = found({"trials": {"total": 17, "active": 2}}, files(*made.trials()))
    cluster.stored(one)
    assert "3 trials ended after it was written" in capsys.readouterr().err


def test_a_damaged_configmap(capsys):
    """One line, exit code 2."""
    with pytest.raises(SystemExit) as end:
        cluster.stored(found(files=Files({}, {"results.json.gz": b"x"})))
    assert end.value.code == 2
    assert (
        "the ConfigMap of default/study cannot be read: not compressed" in capsys.readouterr().err
    )


def test_without_the_packages_it_says_what_to_install(monkeypatch, capsys):
    """A machine that only runs studies here has none of them."""
    monkeypatch.setattr(cluster, "find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        cluster.find("study/digits", None, Access())
    assert "install kubetune[operator]" in capsys.readouterr().err
