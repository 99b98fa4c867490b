"""For `Trainer` of Lightning, as the package `lightning` or `pytorch_lightning`.

    with Trial.from_environment() as trial:
        callback = KubetuneCallback(trial)
        Trainer(..., callbacks=[callback]).fit(model, ckpt_path=callback.checkpoint)

What a model logs is reported under its own names, `/` and the like as `_`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubetune_trainer.integrations.names import reportable
from kubetune_trainer.trial import Trial

if TYPE_CHECKING:

    class _Callback: ...

    class _Logger: ...
else:
    try:
        from lightning.pytorch import Callback as _Callback
        from lightning.pytorch.loggers import Logger as _Logger
    except ModuleNotFoundError:
        from pytorch_lightning import Callback as _Callback
        from pytorch_lightning.loggers import Logger as _Logger

FILE = "lightning.ckpt"


class KubetuneCallback(_Callback):
    """Reports to the trial, keeps checkpoints after each validation, and one when it is stopped.

    Lightning itself notices SIGTERM: it ends after the batch, or within a validation. Its
    checkpoints hold no random states, and where one lies within an epoch that epoch's data begin
    anew, unless the loader of the data keeps its position.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    @property
    def checkpoint(self) -> str | None:
        """The `ckpt_path` to fit from; None to begin anew."""
        folder = self._trial.resumed_from
        return None if folder is None else str(folder / FILE)

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """What is logged goes to the trial too, whatever other loggers there are."""
        del pl_module
        if stage == "fit":
            others = [logger for logger in trainer.loggers if not isinstance(logger, _Reports)]
            trainer.loggers = [*others, _Reports(self._trial, trainer)]

    def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
        """Says how far it is, where the end is known."""
        total = float(trainer.estimated_stepping_batches)
        if 0 < total < float("inf"):
            self._trial.progress(min(1.0, trainer.global_step / total))

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        """Saves, but for the trial run that Lightning makes before it begins."""
        del pl_module
        if not trainer.sanity_checking:
            self._save(trainer)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Saves when the trial was told to stop: Lightning leaves its loop by an exception."""
        del pl_module
        if self._trial.should_stop and isinstance(exception, SystemExit):
            self._save(trainer)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """Training that ended by itself is complete, early or not."""
        del trainer, pl_module
        self._trial.progress(1.0)

    def _save(self, trainer: Any) -> None:
        """All processes take part in saving; the first one's place is the trial's."""
        if trainer.is_global_zero:
            self._trial.save(
                lambda folder: trainer.save_checkpoint(folder / FILE), step=trainer.global_step
            )
        elif self._trial.checkpoint_dir is not None:
            trainer.save_checkpoint(self._trial.checkpoint_dir / FILE)


class _Reports(_Logger):
    """Lightning's logger that reports to a trial, at the global step."""

    def __init__(self, trial: Trial, trainer: Any) -> None:
        super().__init__()
        self._trial, self._trainer = trial, trainer

    @property
    def name(self) -> str:
        return "kubetune"

    @property
    def version(self) -> str:
        return ""

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        """The study knows them."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        del step  # Lightning counts batches here, from 0
        found = reportable(metrics)
        if found and self._trainer.is_global_zero and not self._trainer.sanity_checking:
            self._trial.report(self._trainer.global_step, **found)
