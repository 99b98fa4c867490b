"""The ConfigMap of a study's results, as it is sent and read."""

from typing import Any, cast

from kubetune.adapters.kubernetes import results
from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.kubernetes.results import Files

STUDY = Reference(namespace="team-a", name="digits", uid="3fa2-1bxyz")
FILES = Files({"REPORT.md": "# Study"}, {"results.json.gz": b"\x1f\x8b\x00\xff"})


class Server:
    """Answers every request with what it was given last."""

    def __init__(self, found: Any = None) -> None:
        self.found = found
        self.asked: tuple[str, str, Any] = ("", "", None)

    async def request(self, method: str, path: str, **more: Any) -> Any:
        self.asked = (method, path, more.get("query"))
        self.found = more.get("body") or self.found
        return self.found


def api(server: Server) -> Api:
    return cast("Api", server)


async def test_it_belongs_to_the_study() -> None:
    """It goes with it, is found by its name, and blocks no deletion."""
    server = Server()
    await results.write(api(server), STUDY, FILES)
    meta = server.found["metadata"]
    assert meta["name"] == "digits-3fa21b-results"
    assert meta["labels"]["kubetune.io/study"] == "digits"
    (owner,) = meta["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("TuningStudy", STUDY.uid)
    assert "blockOwnerDeletion" not in owner
    method, path, query = server.asked
    assert (method, path) == (
        "PATCH",
        "/api/v1/namespaces/team-a/configmaps/digits-3fa21b-results",
    )
    assert query == {"fieldManager": "kubetune", "force": "true"}


async def test_files_are_read_as_they_were_written() -> None:
    """Bytes too."""
    server = Server()
    await results.write(api(server), STUDY, FILES)
    assert await results.read(api(server), STUDY) == FILES


async def test_what_is_no_file_is_none() -> None:
    """Somebody may have edited it."""
    data = {"a": "text", "b": 5}
    server = Server({"data": data, "binaryData": {"c": "?", "d": None}})
    assert await results.read(api(server), STUDY) == Files({"a": "text"}, {"c": b"", "d": b""})
    assert await results.read(api(Server({"data": []})), STUDY) == Files({}, {})
