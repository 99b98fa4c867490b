"""`kubetune run`: a study on this machine, with trials as local processes."""

import asyncio
import shlex
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, Protocol

from sqlalchemy.exc import SQLAlchemyError

from kubetune.adapters.local.executor import LocalExecutor
from kubetune.adapters.local.metrics import LocalMetrics
from kubetune.adapters.optuna.history import read_earlier
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.api.manifest import Manifest
from kubetune.app.clock import SystemClock
from kubetune.app.engine import Engine
from kubetune.app.warm import warmed
from kubetune.cli import folder as folders
from kubetune.cli import manifests
from kubetune.cli.folder import RunFolder
from kubetune.cli.lines import Lines
from kubetune.cli.output import Exit, console, count, fail, say
from kubetune.convert.writing import render
from kubetune.domain.faults import InvalidSpec, SpecChanged
from kubetune.domain.ports import StatusSink, StorageUnreachable
from kubetune.domain.status import ConditionType, StudyStatus, Truth
from kubetune.domain.study import StudySpec
from kubetune.domain.warm_start import Earlier

GRACE_SECONDS = 30.0
"""How long a trial may take to save its checkpoint when it is stopped: Kubernetes' own default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the command line asked for."""

    manifest: Path
    patches: tuple[Path, ...] = ()
    output: Path | None
    trials: int | None
    parallelism: int | None
    fresh: bool
    plots: bool = True

    @property
    def again(self) -> str:
        """The command that goes on with this run."""
        words = ["kubetune", "run", str(self.manifest)]
        for patch in self.patches:
            words += ["--patch", str(patch)]
        if self.output:
            words += ["-o", str(self.output)]
        if self.trials:
            words += ["--trials", str(self.trials)]
        if self.parallelism:
            words += ["--parallelism", str(self.parallelism)]
        if not self.plots:
            words.append("--no-plots")
        return shlex.join(words)


def run(request: Request) -> None:
    """Runs or resumes a study and ends the program with its exit code."""
    spec, manifest = manifests.load(request.manifest, request.patches)
    spec = _adjusted(spec, request)
    if spec.metric_queries:
        say("metrics.queries are read on a cluster only: this run goes without them")
    path = request.output or Path("runs") / spec.name
    if request.fresh:
        path = path.resolve()
        _set_aside(path)
    folder = folders.take(path, spec.name)
    try:
        code = asyncio.run(_Session(spec, folder, manifest, request).run())
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    except InvalidSpec as refused:
        _refuse(refused, request.manifest, folder)
    except (StorageUnreachable, SQLAlchemyError) as error:
        _no_database(path, error)
    finally:
        folder.release()
    raise SystemExit(int(code))


def _set_aside(path: Path) -> None:
    """Moves an earlier run away, and ends what still runs of it: its tuner may have been killed."""
    aside = folders.set_aside(path)
    if aside is None:
        return
    say(f"the earlier run is now in {aside}")

    async def end() -> None:
        await LocalExecutor(aside, aside, parallelism=1, grace_seconds=GRACE_SECONDS).close()

    asyncio.run(end())


def _no_database(path: Path, error: Exception) -> NoReturn:
    reason = str(getattr(error, "orig", None) or error).splitlines()[0]
    fail(f"the database in {path} cannot be used: {reason}; --fresh starts again beside it")


def _adjusted(spec: StudySpec, request: Request) -> StudySpec:
    policy = spec.trials
    return replace(
        spec,
        trials=replace(
            policy,
            max=request.trials or policy.max,
            parallelism=request.parallelism or policy.parallelism,
        ),
    )


def _grace_seconds(spec: StudySpec) -> float:
    """As in a pod: what the template says, else the default."""
    pod = spec.template.get("spec", {})
    return float(pod.get("terminationGracePeriodSeconds", GRACE_SECONDS))


def _refuse(refused: InvalidSpec, manifest: Path, folder: RunFolder) -> None:
    for fault in refused.faults:
        say(f"{manifest}: {fault}")
    if not isinstance(refused, SpecChanged):
        raise SystemExit(int(Exit.UNUSABLE))
    fail(
        f"{folder.path} holds trials of the study as it was before;"
        " use --fresh to start again, or another folder with -o"
    )


class _Session:
    """One run from its first pass to its report."""

    def __init__(
        self, spec: StudySpec, folder: RunFolder, manifest: Manifest, request: Request
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._manifest = manifest
        self._request = request
        self._signals: list[int] = []

    async def run(self) -> Exit:
        spec, folder, request = self._spec, self._folder, self._request
        clock = SystemClock()
        try:
            store = await OptunaStore.open(folder.storage, spec.name, spec, clock)
        except ValueError as error:
            _no_database(folder.path, error)
        spec = await self._warmed(spec, store)
        text = render(self._manifest.data, {}, "") if request.patches else None
        folder.keep_manifest(request.manifest, text, spec.trials.max)
        executor = LocalExecutor(
            folder.path,
            request.manifest.resolve().parent,
            parallelism=spec.trials.parallelism,
            grace_seconds=_grace_seconds(spec),
        )
        sink = self._sink()
        engine = Engine(
            spec=spec,
            study_uid=folder.uid,
            store=store,
            executor=executor,
            metrics=LocalMetrics(folder.path),
            sink=sink,
            clock=clock,
        )
        self._listen(engine, sink)
        try:
            if folder.resumed and (known := len(await store.trials())):
                sink.note(f"going on with {count(known, 'trial')} in {folder.path}")
            status = await engine.run()
        finally:
            sink.close()
            await executor.close()
        try:
            await self._report(store, status)
        finally:
            await store.close()
        return self._exit(status)

    async def _warmed(self, spec: StudySpec, store: OptunaStore) -> StudySpec:
        """With the results of earlier studies, from the runs beside this one."""

        async def read(name: str) -> Earlier | None:
            beside = self._folder.path.resolve().parent / name
            if not (beside / folders.DATABASE).is_file():
                return None
            return await asyncio.to_thread(read_earlier, folders.storage_url(beside), name)

        try:
            spec, said = await warmed(spec, store, read)
        except InvalidSpec:
            await store.close()
            raise
        for text in said:
            say(text)
        return spec

    def _sink(self) -> "Sink":
        if not sys.stdout.isatty():
            return Lines()
        from kubetune.cli.live import LiveTable  # noqa: PLC0415 - only for a terminal

        return LiveTable(self._spec, console())

    def _listen(self, engine: Engine, sink: "Sink") -> None:
        """A first Ctrl-C, SIGTERM or closed terminal stops gently, a second at once."""
        loop = asyncio.get_running_loop()

        def heard(number: int) -> None:
            self._signals.append(number)
            engine.interrupt()
            if len(self._signals) == 1:
                sink.note("stopping the running trials; press Ctrl-C again to kill them")

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, heard, number)

    async def _report(self, store: OptunaStore, status: StudyStatus) -> None:
        """Says at once how it ended; plots follow, unless somebody waits for their terminal."""
        from kubetune.cli import summary  # noqa: PLC0415 - only at the end
        from kubetune.cli.report import draw  # noqa: PLC0415 - only at the end
        from kubetune.report import write  # noqa: PLC0415 - only at the end

        trials = await store.trials()
        write(self._folder.path, self._spec, trials, status)
        summary.show(console(), self._spec, status, trials, self._folder.path)
        if status.ended and self._request.plots and not self._signals:
            draw(self._folder.path, self._spec, trials, status)
        if status.ended:
            return
        if self._signals:
            say(f"stopped; the same command goes on: {self._request.again}")
        elif self._spec.suspend:
            say("spec.suspend is true: set it to false, then run the same command")

    def _exit(self, status: StudyStatus) -> Exit:
        if status.ended:
            succeeded = any(
                one.type is ConditionType.SUCCEEDED and one.status is Truth.TRUE
                for one in status.conditions
            )
            return Exit.DONE if succeeded else Exit.FAILED
        if signal.SIGTERM in self._signals:
            return Exit.TERMINATED
        return Exit.INTERRUPTED if self._signals else Exit.DONE


class Sink(StatusSink, Protocol):
    """A StatusSink that also takes notes and is closed at the end."""

    def note(self, text: str) -> None:
        """One line of its own."""

    def close(self) -> None:
        """Leaves the terminal as it was found."""
