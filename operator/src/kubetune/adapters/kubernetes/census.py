"""What the server itself has of a study, for when its watches may have missed something."""

from kubetune.adapters.kubernetes import names, plain
from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.job import StudyObject


async def census(api: Api, study: StudyObject) -> frozenset[str]:
    """The uids of all Jobs and pods that are labelled with a study: two requests.

    Raises:
        ApiRefused, ApiUnreachable: not now; try again later.
    """
    query = {"labelSelector": f"{names.STUDY_UID}={study.uid}"}
    found = [
        await api.request("GET", path, query=query) for path in (study.jobs_path, study.pods_path)
    ]
    return frozenset(
        plain.text(item, "metadata", "uid")
        for each in found
        for item in plain.objects(each, "items")
    )
