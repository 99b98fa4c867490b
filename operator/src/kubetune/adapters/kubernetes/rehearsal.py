"""Asks the API server what it would say of a study's Jobs, without creating one."""

from collections.abc import Mapping

from kubetune.adapters.kubernetes import names
from kubetune.adapters.kubernetes.api import Api, ApiRefused
from kubetune.adapters.kubernetes.creation import refuses, waits
from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState
from kubetune.domain.values import Value

_QUERY = {"dryRun": "All", "fieldValidation": "Strict"}
"""Strict: a misspelt field is refused, not dropped."""


async def dry_run(
    api: Api,
    spec: StudySpec,
    study: StudyObject,
    parameters: Mapping[str, Value] | None = None,
) -> str | None:
    """The server's words against the Job of a made-up trial; None when it would take it.

    Its values are `parameters`, else those of the first initial trial, else none at all.

    Raises:
        ApiRefused, ApiUnreachable: no answer to that; try again later.
    """
    initial = spec.initial_trials[0].parameters if spec.initial_trials else {}
    values = initial if parameters is None else parameters
    trial = Trial(number=0, state=TrialState.RUNNING, parameters=values)
    job = render(LaunchOrder(spec=spec, study_uid=study.uid, trial=trial), study)
    job["metadata"]["name"] = names.rehearsal_name(study.name, study.uid)
    try:
        await api.request("POST", study.jobs_path, query=_QUERY, body=job)
    except ApiRefused as error:
        if refuses(error):
            return error.message
        if not waits(error):
            raise
    return None
