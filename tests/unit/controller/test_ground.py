"""What an operator waits for, in words that say what to do."""

import pytest

from kubetune.adapters.kubernetes.api import ApiRefused, ApiUnreachable
from kubetune.controller import ground


class Server:
    """An API server with these groups and kinds; `refuses` has the errors by part of a path."""

    def __init__(self, **refuses: Exception) -> None:
        self.groups = ["apps", "kubetune.io"]
        self.kinds = ["tuningstudies", "tuningstudies/status"]
        self.refuses = refuses
        self.asked: list[str] = []

    async def request(
        self, method: str, path: str, *, query: dict[str, str] | None = None
    ) -> dict[str, object]:
        assert method == "GET"
        self.asked.append(path)
        for part, error in self.refuses.items():
            if path.endswith(part):
                raise error
        if path == "/apis":
            return {"groups": [{"name": name} for name in self.groups]}
        return {"resources": [{"name": name} for name in self.kinds]}


async def missing(server: Server, *namespaces: str) -> str:
    return await ground.missing(server, namespaces)  # type: ignore[arg-type] # what is used of it


async def test_nothing_is_missing() -> None:
    """All that is watched can be listed, in every namespace that is."""
    server = Server()
    assert await missing(server, "a", "b") == ""
    assert "/api/v1/namespaces/b/pods" in server.asked
    everywhere = Server()
    assert await missing(everywhere) == ""
    assert "/apis/batch/v1/jobs" in everywhere.asked


@pytest.mark.parametrize("lack", ["groups", "kinds"])
async def test_without_the_resource_it_says_how_to_install_it(lack: str) -> None:
    """Also for the moment in which its group is known and it is not."""
    server = Server()
    setattr(server, lack, [])
    assert "kubetune crd | kubectl apply" in await missing(server)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ApiRefused(403, "Forbidden", "alice may not list jobs"), "files/rules.yaml"),
        (ApiRefused(401, "Unauthorized", "who are you"), "does not know who asks"),
        (ApiRefused(500, "", "broken"), "refuses: 500 broken"),
        (ApiRefused(404, "NotFound", "no"), "kubetune crd"),
        (ApiUnreachable("refused"), "does not answer: refused"),
    ],
)
async def test_each_refusal_has_its_words(error: Exception, words: str) -> None:
    """They are logged once each, so they are all that a person sees."""
    assert words in await missing(Server(jobs=error))


async def test_a_version_that_is_not_served_is_no_resource() -> None:
    """An older CRD of the same group."""
    error = ApiRefused(404, "NotFound", "the server could not find the requested resource")
    assert "kubetune crd" in await missing(Server(v1alpha1=error))
