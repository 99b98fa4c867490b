"""Names and labels of Jobs."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.adapters.kubernetes import names

UID = "0f3e5a1c-52e8-4e54-8c4f-2f7d4a5b6c7d"
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")

study_names = st.from_regex(
    r"[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?){0,3}", fullmatch=True
)


def test_a_job_is_named_by_study_trial_and_attempt() -> None:
    """The name says at a glance whose it is; only from the second attempt on it tells which."""
    assert names.job_name("style-lora", UID, 17, 1) == "style-lora-0f3e5a-17"
    assert names.job_name("style-lora", UID, 17, 2) == "style-lora-0f3e5a-17-2"


@given(study=study_names, number=st.integers(0, 10**6), attempt=st.integers(1, 999))
def test_every_study_has_legal_names(study: str, number: int, attempt: int) -> None:
    """Whatever a resource may be named, its Jobs' names and labels are taken by the server."""
    name = names.job_name(study, UID, number, attempt)
    assert SUBDOMAIN.fullmatch(name)
    assert len(name) <= 63
    for value in names.labels(study, UID, number, attempt).values():
        assert LABEL.fullmatch(value)
        assert len(value) <= 63


@pytest.mark.parametrize("other", [(UID, 1, 12), (UID, 11, 2), ("9" + UID[1:], 11, 1)])
def test_no_two_runs_share_a_name(other: tuple[str, int, int]) -> None:
    """Another trial, attempt or study of the same name has another Job."""
    assert names.job_name("study", *other) != names.job_name("study", UID, 11, 1)


def test_a_cut_name_does_not_end_in_a_dash() -> None:
    """Forty characters are kept of a study's name, without what a cut leaves dangling."""
    assert names.job_name("a" * 39 + "-b" * 20, UID, 0, 1) == "a" * 39 + "-0f3e5a-0"


def test_a_pod_is_named_by_its_job() -> None:
    """The API server cuts a long name short before it adds five characters of its own."""
    assert names.is_pod_name("study-0f3e5a-1-x7k2p", "study-0f3e5a-1")
    assert not names.is_pod_name("study-0f3e5a-11-x7k2p", "study-0f3e5a-1")
    assert not names.is_pod_name("study-0f3e5a-1", "study-0f3e5a-1")
    assert names.is_pod_name("a" * 58 + "x7k2p", "a" * 63)
