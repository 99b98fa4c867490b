"""One trial, from the trainer's side."""

import math
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from kubetune_trainer import checkpoints, contract, parameters
from kubetune_trainer.contract import Environment, Order, Value
from kubetune_trainer.curve import Curve
from kubetune_trainer.exits import COMPLETE, BadConfiguration, Ending, ExitCode, classify
from kubetune_trainer.live import Live, Reported, check_name
from kubetune_trainer.notes import note
from kubetune_trainer.result import Result, write

if TYPE_CHECKING:
    from kubetune_trainer.exposition import Exposition

ConfigT = TypeVar("ConfigT")


class Trial:
    """Parameters in, live values and one result out; a block that ends as the contract says.

        with Trial.from_environment() as trial:
            config = trial.parameters_as(Config)
            for epoch in trial.steps(config.epochs):
                ...
                trial.report(eval_loss=loss)

    Steps count from 1: step 3 is reported when three steps are done, and step 0 before any. In a
    study the block ends the process: it writes the result and exits 0, or with the code that says
    what happened. Outside any study the same program prints its reports, writes no result and lets
    exceptions pass. SIGTERM never cuts a step short: `steps` ends after it, or `should_stop` is
    looked at.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._in_study = environment.order is not None
        self._order = environment.order or Order(resume=True)
        self._live = Live()
        self._curve = Curve()
        self._first_step = 1
        self._step: int | None = None
        self._total = 0
        self._finished = False
        self._told_to_stop = False
        self._agree: Callable[[bool], bool] = bool
        self._artifacts: Path | None = None
        self._resumed_from: Path | None = None
        self._exposition: Exposition | None = None
        self._handler: Any = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Trial":
        """The trial that this process was launched as, or one outside any study.

        What the launcher got wrong ends the process with 64, like any other bad configuration.
        """
        environ = os.environ if environ is None else environ
        try:
            return cls(contract.read_environment(environ))
        except BadConfiguration as error:
            sys.stderr.write(f"{error}\n")
            ending = classify(error)
            result = Result(
                trial=None, state=ending.state, reason=ending.reason, message=ending.message
            )
            _write(result, contract.result_file(environ))
            raise SystemExit(ending.code) from None

    @property
    def parameters(self) -> Mapping[str, Value]:
        """Every parameter, derived and fixed value, by name."""
        return self._order.parameters

    @property
    def study(self) -> str:
        """The study's name; empty outside any study."""
        return self._order.study

    @property
    def name(self) -> str:
        """The trial's name for people, such as in a tracker."""
        return f"{self.study}-{self._order.trial}" if self._in_study else f"seed-{self.seed}"

    @property
    def seed(self) -> int:
        """The seed of this trial: the same over all its attempts."""
        return self._order.seed

    @property
    def stage(self) -> str:
        """What the trial is for: `search`, `finalist` or `heldout`."""
        return self._order.stage

    @property
    def attempt(self) -> int:
        """Counts from 1."""
        return self._order.attempt

    @property
    def checkpoint_dir(self) -> Path | None:
        """Where this trial may keep its checkpoints; None when the study keeps none."""
        return self._environment.checkpoint_dir

    @property
    def artifact_dir(self) -> Path | None:
        """Where the trained model goes, beside the checkpoints; None when nothing is kept."""
        if self._artifacts is not None:
            return self._artifacts
        return None if self.checkpoint_dir is None else self.checkpoint_dir / "artifacts"

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of the metrics that the trial is judged by; none outside any study."""
        return self._order.objectives

    @property
    def done(self) -> int:
        """The last step that is done, counted over all attempts; 0 before the first."""
        return self._step or 0

    @property
    def resumed_from(self) -> Path | None:
        """The folder of the checkpoint to go on from, as `save` filled it; None to begin anew."""
        return self._resumed_from

    @property
    def should_stop(self) -> bool:
        """Whether SIGTERM has come. A trainer with long steps looks at it within them."""
        return self._told_to_stop

    def override(
        self, values: Mapping[str, Value], *, seed: int | None = None, stage: str | None = None
    ) -> None:
        """Sets parameters by hand, outside any study.

        Raises:
            BadConfiguration: this is a study's trial; its record would no longer be true.
        """
        if self._in_study:
            raise BadConfiguration(
                "--config, --set and --seed: the parameters of a study's trial come from the "
                "study; write them under spec.parameters or spec.fixed"
            )
        self._order = replace(
            self._order,
            parameters={**self._order.parameters, **values},
            seed=self._order.seed if seed is None else seed,
            stage=stage or self._order.stage,
        )

    def keep_artifacts(self, folder: Path) -> None:
        """Chooses where the trained model goes, outside any study.

        Raises:
            BadConfiguration: this is a study's trial; its artifacts lie with its checkpoints.
        """
        if self._in_study:
            raise BadConfiguration("--output: a study's trial keeps its model with its checkpoints")
        self._artifacts = folder

    def agree_by(self, agree: Callable[[bool], bool]) -> None:
        """How several processes of one trial agree to stop: after the same step, all of them.

        It is asked before each step with whether this process was told to; the answer counts.
        """
        self._agree = agree

    def parameters_as(self, config: type[ConfigT]) -> ConfigT:
        """The parameters as a typed dataclass; names that it has no field for are noted.

        Raises:
            BadConfiguration: see `parameters.bind`; uncaught, it exits 64 and names each fault.
        """
        bound = parameters.bind(config, self.parameters)
        if unused := parameters.unused(config, self.parameters):
            note(f"not read by this trainer: {', '.join(unused)}")
        return bound

    def steps(self, total: int) -> Iterator[int]:
        """Counts the steps up to `total`, beginning after the checkpoint's.

        Ends early when the trial is told to stop. Progress follows on its own.

        Raises:
            BadConfiguration: `total` is less than 1.
        """
        if total < 1:
            raise BadConfiguration(f"steps: {total} is too few, write 1 or more")
        self._total = total
        self.progress(min(1.0, (self._first_step - 1) / total))
        for step in range(self._first_step, total + 1):
            if self._agree(self._told_to_stop):
                self._told_to_stop = True  # a signal amid the agreement counts in the next one
                return
            self._step = step
            yield step
            self.progress(step / total)

    def report(self, step: float | None = None, **metrics: float) -> None:
        """Shows values of this step, as they are: NaN and infinities too.

        Without `step` it is that of `steps`, or outside of it the next one after the last. More
        values may be added to a step; one that is older than the last report is refused.

        Raises:
            ValueError: the step goes back or is not finite, or a name is not letters, digits
                and `_`, at most 63 of them.
            TypeError: nothing is reported, or a value is no number.
        """
        at = self._next_step() if step is None else _plain(step)
        if not math.isfinite(at) or at < (self._live.step or 0):
            raise ValueError(f"step: {at} must be a finite number from {self._live.step or 0}")
        if not metrics:
            raise TypeError("report() needs a metric: write report(loss=0.5)")
        values = {check_name(name): _number(name, value) for name, value in metrics.items()}
        known = {**self._live.metrics, **{name: Reported(v, at) for name, v in values.items()}}
        progress = self._live.progress
        if self._step == at and self._total:
            progress = max(progress, min(1.0, at / self._total))
        self._live = Live(step=at, progress=progress, metrics=known)
        if self._order.objectives and self._order.objectives[0] in values:
            self._curve.add(at, values[self._order.objectives[0]])
        shown = "  ".join(f"{name} {value:.6g}" for name, value in values.items())
        sys.stdout.write(f"step {at:g}  {shown}\n")
        sys.stdout.flush()

    def progress(self, ratio: float) -> None:
        """Says how much of the trial is done, 0 to 1; `steps` does it by itself.

        At 1 nothing is left to do: a trial that is told to stop after that is complete.

        Raises:
            ValueError: the ratio is not between 0 and 1.
        """
        if not 0 <= ratio <= 1:
            raise ValueError(f"progress: {ratio} is not between 0 and 1")
        self._finished = ratio == 1
        self._live = replace(self._live, progress=float(ratio))

    def save(self, fill: Callable[[Path], None], *, step: int | None = None) -> None:
        """Saves a checkpoint of the current step: `fill` writes its files into a given folder.

        It replaces the one before as a whole, and the next attempt finds it in `resumed_from`
        with `steps` beginning after it. Does nothing when no checkpoints are kept. `step` is for
        who counts steps without `steps`: a framework with a loop of its own.

        Raises:
            RuntimeError: outside of `steps` and without `step`: there is nothing to go on from.
        """
        if self.checkpoint_dir is None:
            return
        if step is not None:
            self._step = step
        if self._step is None:
            raise RuntimeError("save() belongs into the loop over trial.steps(...)")
        record = checkpoints.Record(
            step=self._step, metrics=self._live.metrics, curve=self._curve.points
        )
        checkpoints.save(self.checkpoint_dir, record, fill)

    def __enter__(self) -> Self:
        with suppress(ValueError):  # not the main thread: signals are the caller's
            self._handler = signal.signal(signal.SIGTERM, self._on_sigterm)
        self._serve()
        self._resume()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Literal[False]:
        ending = self._ended(error)
        if self._in_study:
            _write(self._result(ending), self._environment.result_file)
        if self._exposition is not None:
            self._exposition.close()
        if self._handler is not None and not self._in_study:
            signal.signal(signal.SIGTERM, self._handler)
        return self._leave(ending, error)

    def _leave(self, ending: Ending, error: BaseException | None) -> Literal[False]:
        """Ends the process with the contract's code, or lets Python go on where that says it."""
        if isinstance(error, BadConfiguration):
            sys.stderr.write(f"{error}\n")
        elif isinstance(error, SystemExit):
            if ending.state != "Stopped":
                return False
        elif self._in_study and error is not None:
            traceback.print_exception(error)
        elif error is not None:
            return False
        if ending.code != ExitCode.COMPLETE:
            raise SystemExit(int(ending.code)) from None
        return False

    def _ended(self, error: BaseException | None) -> Ending:
        """What became of the trial; what breaks after SIGTERM broke because of it."""
        ending = COMPLETE if error is None else classify(error)
        cut_short = ending.state == "Complete" and not self._finished
        if self._told_to_stop and (cut_short or ending.reason == "Crashed"):
            return Ending("Stopped", "", ending.message, ExitCode.STOPPED)
        return ending

    def _result(self, ending: Ending) -> Result:
        return Result(
            trial=self._order.trial,
            state=ending.state,
            reason=ending.reason,
            message=ending.message,
            step=self._live.step or 0,
            metrics={name: seen.value for name, seen in self._live.metrics.items()},
            curve=self._curve.points,
            objectives=self._order.objectives,
        )

    def _next_step(self) -> float:
        if self._step is not None:
            return self._step
        return 1 if self._live.step is None else self._live.step + 1

    def _serve(self) -> None:
        """Serves live values where a port is given; a trial without them still has its result."""
        port = self._environment.metrics_port
        if port is None:
            return
        from kubetune_trainer.exposition import Exposition  # noqa: PLC0415 - only when serving

        try:
            self._exposition = Exposition(lambda: self._live, self._environment.metrics_host, port)
        except OSError as error:
            note(f"no live values: port {port}: {error}")

    def _resume(self) -> None:
        if self.checkpoint_dir is None:
            return
        if not self._order.resume:
            checkpoints.clear(self.checkpoint_dir)
            return
        found = checkpoints.latest(self.checkpoint_dir)
        if found is None:
            return
        record = found.record
        self._resumed_from = found.folder
        self._first_step = record.step + 1
        self._step = record.step
        self._curve = Curve(record.curve)
        self._live = Live(
            step=max((seen.step for seen in record.metrics.values()), default=None),
            metrics=record.metrics,
        )
        note(f"going on after step {record.step}")

    def _on_sigterm(self, _number: int, _frame: FrameType | None) -> None:
        """Notes the wish; a second SIGTERM, while saving, changes nothing."""
        self._told_to_stop = True


def _plain(step: float) -> float:
    return step if isinstance(step, int) else float(step)


def _number(name: str, value: Any) -> float:
    if isinstance(value, str | bytes):
        raise TypeError(f"{name}: {value!r} is no number")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"{name}: {value!r} is no number") from None


def _write(result: Result, path: Path | None) -> None:
    """Writes it where there is a place for it: of several processes only one may have one."""
    if path is None:
        return
    try:
        write(result, path)
    except OSError as error:
        note(f"the result cannot be written: {error}")
