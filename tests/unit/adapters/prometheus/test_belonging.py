"""Series belong to the run that the scrape's labels name, and to no other."""

import pytest

from kubetune.adapters.prometheus.belonging import Belonging, tells_whose
from tests.builders import make_run

LABELS = {
    "kubetune_io_study_uid": "u",
    "kubetune_io_trial": "1",
    "kubetune_io_attempt": "2",
    "namespace": "team",
    "pod": "job-1-2-abcde",
}
RUN = make_run(1, attempt=2)
RULE = Belonging(study_uid="u", namespace="team", job_name=lambda number, n: f"job-{number}-{n}")


@pytest.mark.parametrize("missing", ["", "kubetune_io_attempt", "namespace", "pod"])
def test_labels_that_a_scrape_may_leave_out(missing: str) -> None:
    """Attempt, namespace and pod are checked where the scrape puts them on."""
    labels = {name: text for name, text in LABELS.items() if name != missing}
    assert RULE.own(labels, {1: RUN}) is RUN


@pytest.mark.parametrize(
    "odd",
    [
        {"kubetune_io_study_uid": "v"},
        {"kubetune_io_trial": "2"},
        {"kubetune_io_trial": "one"},
        {"kubetune_io_trial": "٣"},
        {"kubetune_io_trial": "9" * 400},
        {"kubetune_io_attempt": "1"},
        {"namespace": "other"},
        {"pod": "job-1-1-abcde"},
        {"pod": "job-1-2"},
        {"pod": ""},
    ],
)
def test_series_of_others(odd: dict[str, str]) -> None:
    """One label that does not fit is enough."""
    assert RULE.own(LABELS | odd, {1: RUN}) is None


def test_a_pod_is_of_the_job_that_its_name_begins_with() -> None:
    """The first attempt's Job name begins the second's, yet their pods are told apart."""
    first, second = make_run(1), make_run(1, attempt=2)
    jobs = {"job-1": first, "job-1-2": second}
    assert RULE.by_pod({"pod": "job-1-abcde"}, jobs) is first
    assert RULE.by_pod({"pod": "job-1-2-abcde"}, jobs) is second
    assert RULE.by_pod({"pod": "exporter-x", "exported_pod": "job-1-abcde"}, jobs) is first
    assert RULE.by_pod({"pod": "job-12-abcde"}, jobs) is None
    assert RULE.by_pod({}, jobs) is None


def test_a_series_that_says_nothing() -> None:
    """Without a trial or pod nobody can know whose a value is."""
    assert not tells_whose({"namespace": "team"})
    assert tells_whose({"exported_pod": "x"})
