"""What a study found, in a ConfigMap that belongs to it."""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.adapters.kubernetes import plain
from kubetune.adapters.kubernetes.api import APPLY, Api
from kubetune.adapters.kubernetes.names import results_name, study_labels
from kubetune.adapters.kubernetes.reference import API_VERSION, KIND, Reference
from kubetune.adapters.kubernetes.writing import FIELD_MANAGER


@dataclass(frozen=True, slots=True)
class Files:
    """Files by name: `text` as it is, `packed` as bytes."""

    text: Mapping[str, str]
    packed: Mapping[str, bytes]


def path_of(study: Reference) -> str:
    """Where the API server has the ConfigMap.

    Its name holds a part of the study's uid: nobody else's is ever written to, that of an earlier
    study of the same name included.
    """
    name = results_name(study.name, study.uid)
    return f"/api/v1/namespaces/{study.namespace}/configmaps/{name}"


async def write(api: Api, study: Reference, files: Files) -> None:
    """Writes all files, in place of those that were there: one request.

    The study owns the ConfigMap, which goes with it.

    Raises:
        ApiRefused: the server said no.
        ApiUnreachable: the server said nothing.
    """
    await api.request(
        "PATCH",
        path_of(study),
        query={"fieldManager": FIELD_MANAGER, "force": "true"},
        body=body(study, files),
        content_type=APPLY,
    )


def body(study: Reference, files: Files) -> dict[str, Any]:
    """The ConfigMap, as it is sent."""
    owner = {"apiVersion": API_VERSION, "kind": KIND, "name": study.name, "uid": study.uid}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": results_name(study.name, study.uid),
            "namespace": study.namespace,
            "labels": study_labels(study.name, study.uid),
            "ownerReferences": [owner],
        },
        "data": dict(files.text),
        "binaryData": {name: b64encode(data).decode() for name, data in files.packed.items()},
    }


async def read(api: Api, study: Reference) -> Files:
    """The files of a study, without what cannot be one.

    Raises:
        ApiRefused: the server said no, or there is none.
        ApiUnreachable: the server said nothing.
    """
    found = await api.request("GET", path_of(study))
    text = plain.at(found, "data")
    packed = plain.at(found, "binaryData")
    return Files(
        {name: value for name, value in _items(text) if isinstance(value, str)},
        {name: _decoded(value) for name, value in _items(packed)},
    )


def _items(found: Any) -> list[tuple[str, Any]]:
    return list(found.items()) if isinstance(found, Mapping) else []


def _decoded(value: Any) -> bytes:
    try:
        return b64decode(value)
    except (Error, TypeError, ValueError):
        return b""
