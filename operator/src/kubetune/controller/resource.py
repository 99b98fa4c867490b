"""A TuningStudy as the API server gave it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.adapters.kubernetes.job import StudyObject
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.api.status import INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One state of the resource. `generation` counts the changes of its spec.

    `ended`: its status says that it has ended, and speaks of this generation, which is valid.
    """

    uid: str
    name: str
    namespace: str
    generation: int
    deleted: bool
    ended: bool
    labels: Mapping[str, str]
    body: Mapping[str, Any]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Resource":
        """The resource behind an object of the API server."""
        meta, status = body["metadata"], body.get("status") or {}
        generation = int(meta.get("generation") or 0)
        told = status.get("observedGeneration") == generation
        return cls(
            uid=meta["uid"],
            name=meta["name"],
            namespace=meta["namespace"],
            generation=generation,
            deleted="deletionTimestamp" in meta,
            ended=told and status.get("phase") != INVALID and bool(status.get("completionTime")),
            labels=meta.get("labels") or {},
            body=body,
        )

    @property
    def reference(self) -> Reference:
        """The resource as its status and events name it."""
        return Reference(namespace=self.namespace, name=self.name, uid=self.uid)

    @property
    def owner(self) -> StudyObject:
        """The resource as its Jobs name it."""
        return StudyObject(
            name=self.name, namespace=self.namespace, uid=self.uid, labels=self.labels
        )

    @property
    def status(self) -> Mapping[str, Any]:
        """Its status as it stood."""
        return self.body.get("status") or {}

    @property
    def metric(self) -> str:
        """Its first objective's, or no word."""
        objectives = (self.body.get("spec") or {}).get("objectives") or [{}]
        return str(objectives[0].get("metric", ""))

    @property
    def drawn(self) -> tuple[str, ...]:
        """The names of its parameters, those that phases add included."""
        spec = self.body.get("spec") or {}
        lists = (each.get("parameters") or () for each in (spec, *(spec.get("phases") or ())))
        names = [str(each.get("name", "")) for parameters in lists for each in parameters]
        return tuple(dict.fromkeys(names))

    @property
    def manifest(self) -> dict[str, Any]:
        """What its author wrote, without what the server and this operator added."""
        meta = {"name": self.name, "namespace": self.namespace}
        kept = {key: self.body[key] for key in ("apiVersion", "kind", "spec") if key in self.body}
        return {**kept, "metadata": meta}

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
