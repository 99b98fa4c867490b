"""Whether a study may run: by our own rules first, then by the API server's."""

import asyncio
from dataclasses import dataclass

from kubetune.adapters.kubernetes.rehearsal import dry_run
from kubetune.api import admission
from kubetune.controller.resource import Resource
from kubetune.controller.services import Services
from kubetune.domain.faults import Fault, InvalidSpec
from kubetune.domain.study import StudySpec


class TemplateRefused(InvalidSpec):
    """The API server takes no Job of this study: by its spec, or by a policy that may change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A study without faults, and what is worth saying about it."""

    spec: StudySpec
    feasible_share: float | None
    warnings: tuple[str, ...]


async def admit(resource: Resource, services: Services) -> Admitted:
    """Checks a study; its pod template by a dry run of the Job that a trial of it would be.

    Raises:
        InvalidSpec: with every fault; TemplateRefused where it is the server who says so.
        ApiUnreachable, ApiRefused: the API server could not say, for now.
    """
    _refuse_namespace(resource, services.options.own_namespace)
    verdict = await asyncio.to_thread(admission.check, resource.manifest, in_cluster=True)
    if verdict.spec is None:
        raise InvalidSpec(verdict.faults)
    words = await dry_run(services.api, verdict.spec, resource.owner)
    if words:
        raise TemplateRefused((Fault(("spec", "trialTemplate"), words),))
    return Admitted(
        spec=verdict.spec,
        feasible_share=verdict.feasibility.share if verdict.feasibility else None,
        warnings=tuple(map(str, verdict.warnings)),
    )


def _refuse_namespace(resource: Resource, own_namespace: str | None) -> None:
    """A trial in the operator's own namespace could use the operator's accounts and secrets."""
    if resource.namespace == own_namespace:
        words = f"{own_namespace} is the operator's own: make the study in another namespace"
        raise InvalidSpec((Fault(("metadata", "namespace"), words),))
