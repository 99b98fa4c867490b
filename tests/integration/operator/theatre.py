"""An operator behind a network that can be bad, and two namespaces whose pods are played."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant
from tests.cluster.proxy import Proxy, proxied
from tests.integration.operator.stage import Play, Study, completes, played
from tests.integration.operator.stored import check_history


class Theatre:
    """What a test of faults works with; `plays` are by namespace."""

    def __init__(self, proxy: Proxy, operator: OperatorProcess, plays: Mapping[str, Play]) -> None:
        self.plane, self.proxy, self.operator, self.plays = operator.plane, proxy, operator, plays
        self.namespace, self.other_namespace = plays

    @property
    def play(self) -> Play:
        """The pods of the first namespace."""
        return self.plays[self.namespace]

    def study(self, name: str, *, namespace: str = "", **spec: Any) -> Study:
        """Makes a study, in the first namespace unless told otherwise."""
        return Study(self.plane, namespace or self.namespace, name, **spec)

    def check(self, study: Study, count: int, *, attempts: Mapping[int, int] | None = None) -> None:
        """The study's whole history: nothing lost, nothing doubled, no Job left."""
        study.until(lambda: not study.jobs, f"the last Job of {study.name} to go")
        play = self.plays[study.namespace]
        check_history(self.operator.storage, study, count, play, attempts=attempts)

    def reset(self) -> None:
        """The operator runs, all its requests pass, and every trial completes at once."""
        self.proxy.clear()
        for play in self.plays.values():
            play.script = completes
        if not self.operator.alive:
            self.operator.start()


@contextmanager
def opened(plane: ControlPlane, folder: Path) -> Iterator[Theatre]:
    """A theatre; nothing of it is left afterwards.

    What is refused here is not held against the operator: an API server that begins anew knows no
    rights for a moment.
    """
    grant(plane)
    namespaces = [plane.create_namespace() for _ in range(2)]
    with ExitStack() as stack:
        for namespace in namespaces:
            stack.callback(plane.delete_namespace, namespace)
        plays = {each: stack.enter_context(played(plane, each)) for each in namespaces}
        proxy = stack.enter_context(proxied(plane))
        operator = OperatorProcess(
            plane,
            folder,
            namespaces=namespaces,
            kubeconfig=proxy.kubeconfig_for(users.OPERATOR),
            options=["--resync-seconds=1"],
        )
        stack.callback(operator.kill)
        operator.start()
        yield Theatre(proxy, operator, plays)
