"""What is read from a TuningStudy."""

from kubetune.controller.resource import Resource
from tests.unit.controller.world import make_body


def test_ended_speaks_of_its_own_generation() -> None:
    """A status that tells of an older spec says nothing of whether there is work to do."""
    over = {"completionTime": "2026-01-01T00:00:00Z"}
    assert Resource.of(make_body(status=over | {"observedGeneration": 1})).ended
    assert not Resource.of(make_body(status=over | {"observedGeneration": 1}, generation=2)).ended
    assert not Resource.of(make_body(status={"observedGeneration": 1})).ended
    assert not Resource.of(make_body()).ended


def test_an_invalid_study_has_not_ended() -> None:
    """Though the spec before it had: what is refused today may be taken tomorrow."""
    told = {"completionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1, "phase": "Invalid"}
    assert not Resource.of(make_body(status=told)).ended


def test_the_manifest_is_what_its_author_wrote() -> None:
    """Neither the status nor what the server notes about the object is looked at again."""
    resource = Resource.of(make_body(status={"phase": "Running"}))
    assert set(resource.manifest) == {"apiVersion", "kind", "metadata", "spec"}
    assert resource.manifest["metadata"] == {"name": "study", "namespace": "default"}


def test_an_object_of_little_content_is_read() -> None:
    """A schema may have been another once: nothing that is missing is an error."""
    body = {"metadata": {"name": "s", "namespace": "n", "uid": "u", "deletionTimestamp": "now"}}
    resource = Resource.of(body)
    assert (resource.deleted, resource.ended, resource.generation) == (True, False, 0)
    assert (resource.metric, resource.status, resource.labels) == ("", {}, {})
    assert str(resource) == "n/s"


def test_the_first_objective_names_the_metric() -> None:
    """As the series of a study that is followed do."""
    assert Resource.of(make_body()).metric == "accuracy"


def test_parameters_are_named_once_with_those_of_phases() -> None:
    """A phase may replace one of the study's or add its own."""
    own = [{"name": "x", "type": "Double", "min": 0, "max": 1}]
    phases = [{"name": "a"}, {"name": "b", "parameters": [*own, {"name": "y"}]}]
    assert Resource.of(make_body(parameters=own, phases=phases)).drawn == ("x", "y")
