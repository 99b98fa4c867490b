"""Which resource a status or an event is about."""

from dataclasses import dataclass
from typing import Any

API_VERSION = "kubetune.io/v1alpha1"
KIND = "TuningStudy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One study's resource; another of the same name has another `uid`."""

    namespace: str
    name: str
    uid: str

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return f"/apis/{API_VERSION}/namespaces/{self.namespace}/tuningstudies/{self.name}"

    @property
    def events_path(self) -> str:
        """Where the API server takes events about it."""
        return f"/api/v1/namespaces/{self.namespace}/events"

    def involved(self) -> dict[str, Any]:
        """As an event names it."""
        return {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "namespace": self.namespace,
            "name": self.name,
            "uid": self.uid,
        }

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
