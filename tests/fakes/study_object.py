"""A real TuningStudy for Jobs to belong to: the garbage collector deletes what has no owner."""

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.job import StudyObject


async def make_study_object(api: Api, namespace: str, name: str = "study") -> StudyObject:
    """Creates the smallest study there is; nobody follows it."""
    container = {"name": "trainer", "image": "none"}
    body = {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": name},
        "spec": {
            "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
            "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
            "trials": {"max": 1},
            "trialTemplate": {"spec": {"containers": [container]}},
        },
    }
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies"
    made = await api.request("POST", path, body=body)
    return StudyObject(name=name, namespace=namespace, uid=made["metadata"]["uid"])
