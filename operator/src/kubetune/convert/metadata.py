"""Name, namespace, labels and annotations."""

from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment

_CLUSTER_S = ("kubectl.kubernetes.io/last-applied-configuration",)
_KATIB_S = "katib.kubeflow.org/"


def convert(experiment: Experiment, draft: Draft) -> None:
    """Writes the metadata without what a cluster wrote there."""
    needed = "the study's name"
    if experiment.at(("metadata", "generateName")):
        needed += ", for its trials are named after it"
    name = experiment.text(("metadata", "name"), needed=needed)
    if name is not None:
        draft.metadata["name"] = name
    namespace = experiment.text(("metadata", "namespace"))
    if namespace is not None:
        draft.metadata["namespace"] = namespace
    for section in ("labels", "annotations"):
        kept = {
            key: value
            for key, value in experiment.mapping(("metadata", section)).items()
            if key not in _CLUSTER_S and not key.startswith(_KATIB_S)
        }
        if kept:
            draft.metadata[section] = kept
