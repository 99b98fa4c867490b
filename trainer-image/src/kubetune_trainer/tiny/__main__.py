"""`python -m kubetune_trainer.tiny FOLDER`: the tiny models and data that small studies train."""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from kubetune_trainer.tiny import diffusion, language
from kubetune_trainer.training.quiet import quiet

PARTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "lm": ("a language model", language.make_model),
    "definitions": ("train.jsonl, eval.jsonl and test.jsonl for it", language.make_data),
    "sd": ("a Stable Diffusion", diffusion.make_model),
    "clip": ("a CLIP model that judges its pictures", diffusion.make_clip),
    "pictures": ("captioned pictures for both", diffusion.make_data),
}


def main() -> None:
    """Makes what is not there yet, and says so: half a minute for all of it."""
    parser = argparse.ArgumentParser(prog="python -m kubetune_trainer.tiny", description=__doc__)
    parser.add_argument("folder", type=Path)
    words = "; ".join(f"{name}: {what}" for name, (what, _) in PARTS.items())
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help=f"[all] {words}")
    options = parser.parse_args()
    quiet()
    for name in options.parts or PARTS:
        target = options.folder / name
        if target.exists():
            sys.stdout.write(f"{target} is there\n")
            continue
        what, make = PARTS[name]
        draft = target.with_name(f".{name}")
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was stopped
        make(draft)
        draft.rename(target)
        sys.stdout.write(f"{target}: {what}\n")


if __name__ == "__main__":
    main()
