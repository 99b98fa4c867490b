"""Creating a Job once, and what an answer to that means."""

import asyncio
from collections.abc import Mapping
from typing import Any

from kubetune.adapters.kubernetes.api import Api, ApiRefused
from kubetune.adapters.kubernetes.job import StudyObject
from kubetune.adapters.kubernetes.seen import JobSeen

POLL_SECONDS = 0.5
POLLS = 20
"""How often, and how many times, an old Job of the same name is given time to go."""

_FINAL = frozenset({400, 403, 404, 405, 413, 415, 422})
"""Answers that stay the same however often one asks."""

_PASSING = (
    "exceeded quota",
    "status unknown for quota",
    'cannot create resource "jobs"',
    "cannot set blockOwnerDeletion",
)
"""What a 403 says that is for the moment: of a quota, or of the operator's own rights.

An API server that has just begun may not know its roles yet.
"""


class LaunchRefused(Exception):  # noqa: N818 - named by what it says of the launch
    """The cluster does not take this Job; the message is the server's."""


def refuses(error: ApiRefused) -> bool:
    """Whether an error is about what was sent, and not about the moment."""
    return error.status in _FINAL and not waits(error)


def waits(error: ApiRefused) -> bool:
    """Whether no Job at all is taken just now.

    A quota is used up, and other trials give back what they hold; or the operator has no right to
    create Jobs, which is no trial's fault.
    """
    return any(words in error.message for words in _PASSING)


async def create(api: Api, study: StudyObject, body: Mapping[str, Any]) -> JobSeen:
    """Creates the Job, or finds the one that an earlier request has created.

    A Job of this name that is being deleted is waited for, ten seconds long.

    Raises:
        LaunchRefused: the server refuses the Job, or another's Job has its name.
        ApiRefused, ApiUnreachable: not now; try again later.
    """
    path = f"{study.jobs_path}/{body['metadata']['name']}"
    for _ in range(POLLS):
        try:
            return JobSeen.of(await api.request("POST", study.jobs_path, body=body))
        except ApiRefused as error:
            if refuses(error):
                raise LaunchRefused(error.message) from error
            if error.reason != "AlreadyExists":
                raise
            trouble = error
        found = await _existing(api, path)
        if found is None:
            continue
        if found.deleted_at is not None:
            await asyncio.sleep(POLL_SECONDS)
        elif found.owner_uid == study.uid:
            return found
        else:
            raise LaunchRefused(f"there is a Job {found.name} that is not of this study: delete it")
    raise trouble


async def _existing(api: Api, path: str) -> JobSeen | None:
    try:
        return JobSeen.of(await api.request("GET", path))
    except ApiRefused as error:
        if error.status == 404:  # noqa: PLR2004 - HTTP's own number
            return None
        raise
