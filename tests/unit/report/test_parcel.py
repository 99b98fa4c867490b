"""What a study found, small enough for a ConfigMap."""

import gzip
import json
import random

import pytest

from kubetune.domain.study import TrialPolicy
from kubetune.report import parcel
from kubetune.report.configuration import configuration
from kubetune.report.findings import gather
from kubetune.report.parcel import pack
from kubetune.report.results import results
from kubetune.report.stored import unpack
from tests.builders import NOW, make_points
from tests.unit.report import made


def packed(*trials, **changes):
    """The files, and the summary as a program reads it."""
    found = pack(made.study(**changes), trials, None, now=NOW)
    return found, json.loads(found.text["summary.json"])


def size(found):
    return sum(len(each.encode()) for each in found.text.values()) + sum(
        map(len, found.packed.values())
    )


def test_everything_is_there():
    """The best configuration as a report has it, every trial, and nothing left out."""
    found, told = packed(*made.trials())
    whole = gather(made.study(), made.trials(), None)
    assert found.text["best_config.yaml"] == configuration(whole)
    assert gzip.decompress(found.packed["results.json.gz"]).decode() == results(whole)
    assert told["leftOut"] == {"trials": 0, "points": 0, "reportLines": 0}
    assert (told["writtenAt"], told["best"]["number"], told["counts"]["total"]) == (NOW, 10, 12)


def test_without_a_complete_trial_there_is_no_configuration():
    """A file without parameters would only mislead."""
    found, told = packed(made.trial(0))
    assert "best_config.yaml" not in found.text
    assert told["best"] is None


def test_the_pod_template_stays_where_it_is():
    """Its variables and arguments may be secret, and who reads ConfigMaps may not read studies."""
    container = {"name": "trainer", "args": ["hush"], "env": [{"name": "K", "value": "hush"}]}
    found, _ = packed(*made.trials(), template={"spec": {"containers": [container]}})
    everything = "".join(found.text.values()) + str(gzip.decompress(*found.packed.values()))
    assert "hush" not in everything


def test_who_reads_it_goes_on_in_the_cluster():
    """Not with a run's folder, which is not there."""
    found, _ = packed(*made.trials(), namespace="team-a")
    report = found.text["REPORT.md"]
    assert "kubectl patch tuningstudy made -n team-a --type=merge" in report
    assert "`kubetune trials study/made -n team-a`" in report
    assert "FOLDER" not in report


def long(number, points):
    """A trial whose curve is noise, which does not compress."""
    values = random.Random(number)
    curve = make_points(*(values.random() for _ in range(points)))
    return made.trial(number, values.random(), rate=values.random(), curve=curve)


def test_long_curves_become_coarse_and_keep_their_ends():
    """All trials count more than all points of some."""
    trials = [long(number, 2000) for number in range(100)]
    found, told = packed(*trials, trials=TrialPolicy(max=100))
    stored = unpack(found.packed["results.json.gz"])
    assert len(stored.trials) == 100
    kept = sum(len(trial.curve) for trial in stored.trials)
    assert told["leftOut"] == {"trials": 0, "points": 200_000 - kept, "reportLines": 0}
    assert kept > 50_000
    for before, after in zip(trials, stored.trials, strict=True):
        assert (after.curve[0], after.curve[-1]) == (before.curve[0], before.curve[-1])
    assert size(found) < parcel.LIMIT_BYTES


def test_of_too_many_trials_the_telling_ones_stay(monkeypatch: pytest.MonkeyPatch):
    """The best, the baseline and the ranking; what is left out is counted."""
    monkeypatch.setattr(parcel, "LIMIT_BYTES", 20_000)
    baseline = made.trial(0, 0.01, baseline=True)
    trials = [baseline, *(long(number, 5) for number in range(1, 400))]
    found, told = packed(*trials, trials=TrialPolicy(max=400))
    stored = unpack(found.packed["results.json.gz"])
    left = told["leftOut"]["trials"]
    assert left > 0
    assert len(stored.trials) == 400 - left
    assert {0, told["best"]["number"]} <= {trial.number for trial in stored.trials}
    assert told["counts"]["total"] == 400
    again = configuration(gather(made.study(), stored.trials, None))
    assert again == found.text["best_config.yaml"]
    assert size(found) < 20_000


def test_a_report_that_is_too_long_is_cut_at_a_line(monkeypatch: pytest.MonkeyPatch):
    """It says how much is missing, and how to have it whole."""
    monkeypatch.setattr(parcel, "REPORT_BYTES", 500)
    found, told = packed(*made.trials())
    report = found.text["REPORT.md"]
    lines = told["leftOut"]["reportLines"]
    assert f"Cut here: {lines} more lines. `kubetune report study/made -n default" in report
    assert len(report) < 700
    monkeypatch.undo()
    whole = packed(*made.trials())[0].text["REPORT.md"].splitlines()
    assert report.splitlines()[:-2] == whole[: len(whole) - lines]
