"""Libraries speak on stderr only when something is wrong; a trial's own lines stay readable."""

import os
import warnings

_OF_OTHERS = (
    "`is_gradient_checkpointing` is deprecated",  # peft asks transformers
    "Detected call of `lr_scheduler.step",  # the first step was left out
)


def quiet() -> None:
    """Turns off progress bars of the hub's libraries, and warnings that nobody here can act on.

    To be called before transformers or diffusers are imported. Whoever wants the bars sets
    `HF_HUB_DISABLE_PROGRESS_BARS=0`.
    """
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    for words in _OF_OTHERS:
        warnings.filterwarnings("ignore", message=words)
