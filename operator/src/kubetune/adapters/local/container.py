"""What the manifest's pod template asks of a process: the container named "trainer"."""

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubetune.domain.contract import TRAINER

ENTRY_POINT = "kubetune-trainer"
GPU = "nvidia.com/gpu"

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")


class LaunchRefused(Exception):  # noqa: N818 - named by what it says of the launch
    """This template cannot be run here; the message says what to write instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The trainer container. `notes` say what of it has no meaning outside a cluster."""

    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    gpus: int = 0
    notes: tuple[str, ...] = ()

    def variables(self, contract: Mapping[str, str]) -> dict[str, str]:
        """The container's own variables and the contract's, which win.

        A value may refer to the contract's variables and to entries before it, as in a pod.
        """
        known = dict(contract)
        for name, value in self.env:
            if name not in contract:
                known[name] = expand(value, known)
        return known

    def words(self, variables: Mapping[str, str]) -> list[str]:
        """The command line, with the variables filled in.

        Raises:
            LaunchRefused: there is no `command`, and no `kubetune-trainer` on this machine.
        """
        words = [expand(word, variables) for word in (*self.command, *self.args)]
        return words if self.command else [_entry_point(), *words]


def trainer(template: Mapping[str, Any]) -> Container:
    """The container named "trainer" of a pod template.

    Raises:
        LaunchRefused: there is none, or a field of it has a kind that no pod template may hold.
    """
    try:
        return _trainer(template)
    except (AttributeError, TypeError, ValueError) as error:
        raise LaunchRefused(
            f"trialTemplate is no pod template ({error}): write it as for a Kubernetes Job"
        ) from error


def _trainer(template: Mapping[str, Any]) -> Container:
    containers = (template.get("spec") or {}).get("containers") or ()
    for container in containers:
        if container.get("name") == TRAINER:
            env, notes = _env(container.get("env") or ())
            if container.get("envFrom"):
                notes = (*notes, "envFrom is not read outside a cluster")
            return Container(
                command=tuple(map(_text, container.get("command") or ())),
                args=tuple(map(_text, container.get("args") or ())),
                env=env,
                gpus=_gpus(container.get("resources") or {}),
                notes=notes,
            )
    raise LaunchRefused(
        f'trialTemplate.spec.containers has no container named "{TRAINER}": '
        f"name the one that trains {TRAINER}"
    )


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Fills in `$(NAME)` as Kubernetes does: unknown ones stay, `$$` is a plain `$`."""

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else variables.get(name, match.group())

    return _REFERENCE.sub(fill, text)


def _env(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    env, notes = [], []
    for entry in entries:
        name = str(entry.get("name", ""))
        if entry.get("valueFrom") is not None:
            notes.append(f"env {name}: valueFrom is not read outside a cluster")
        else:
            env.append((name, _text(entry.get("value", ""))))
    return tuple(env), tuple(notes)


def _gpus(resources: Mapping[str, Any]) -> int:
    for kind in ("limits", "requests"):
        asked = (resources.get(kind) or {}).get(GPU)
        if asked is not None:
            if str(asked).isdecimal():
                return int(str(asked))
            raise LaunchRefused(
                f"resources.{kind} of the trainer container: {GPU} is {asked!r}: "
                "write a whole number"
            )
    return 0


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _entry_point() -> str:
    beside = Path(sys.executable).parent / ENTRY_POINT
    found = str(beside) if beside.exists() else shutil.which(ENTRY_POINT)
    if found is None:
        raise LaunchRefused(
            f"the trainer container has no command and {ENTRY_POINT} is not installed: "
            "install it, or write the command to run"
        )
    return found
