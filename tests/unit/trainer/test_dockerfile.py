"""What the trainer image's Dockerfile claims, as far as it can be read off it."""

import json
import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
FILE = REPOSITORY / "trainer-image" / "Dockerfile"
PROJECT = tomllib.loads((REPOSITORY / "trainer-image" / "pyproject.toml").read_text())["project"]


@dataclass
class Stage:
    """One `FROM` and what follows it."""

    base: str
    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """The arguments of every instruction of a kind."""
        return [rest for found, rest in self.lines if found == word]

    @property
    def environment(self) -> dict[str, str]:
        """What its `ENV` lines set."""
        words = (word for line in self.all("ENV") for word in line.split())
        return dict(word.split("=", 1) for word in words)


@cache
def read() -> tuple[dict[str, str], list[Stage]]:
    """Its arguments' defaults, wherever they stand, and its stages."""
    text = re.sub(r"^\s*#.*\n", "", FILE.read_text(), flags=re.MULTILINE)
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.partition(" ")
        if word == "ARG":
            name, _, default = rest.partition("=")
            arguments[name] = default.strip('"')
        elif word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif word:
            stages[-1].lines.append((word, rest))
    return arguments, stages


def sources(stage: Stage) -> list[str]:
    """What its `COPY` lines take from the repository."""
    words = [line.split() for line in stage.all("COPY") if "--from=" not in line]
    return [source for line in words for source in line[:-1]]


def sent(path: str) -> bool:
    """Whether the builder gets it: the last line of .dockerignore that matches decides."""
    answer = True
    for line in (REPOSITORY / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if not line or line.startswith("#"):
            continue
        if (
            fnmatch(path, pattern)
            or path.startswith(f"{pattern}/")
            or fnmatch(Path(path).name, pattern)
        ):
            answer = line.startswith("!")
    return answer


def test_it_runs_as_nobody_special():
    """The user is a number above 0, for a kubelet sees only by a number that it is not root."""
    *_, user = read()[1][-1].all("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_nothing_comes_from_the_network_unlocked():
    """No ADD, no download by hand; what is installed is what the lock file says."""
    _, stages = read()
    assert not [line for stage in stages for line in stage.all("ADD")]
    runs = [line for stage in stages for line in stage.all("RUN")]
    assert not [line for line in runs if re.search(r"\b(curl|wget|apt-get|git)\b", line)]
    (sync,) = [line for line in runs if "uv sync" in line]
    assert "--locked" in sync
    (pip,) = [line for line in runs if "pip install" in line]
    assert pip == 'pip install --no-cache-dir "uv==${UV_VERSION}"'


def test_every_base_is_pinned_by_an_argument():
    """Each stage begins with an argument, whose default is a tag of a version."""
    arguments, stages = read()
    for stage in stages:
        named = re.fullmatch(r"\$\{(\w+)\}", stage.base)
        assert named
        assert re.search(r":\d+\.\d+", arguments[named[1]])
    assert re.fullmatch(r"\d+\.\d+\.\d+", arguments["UV_VERSION"])


def test_what_it_copies_is_there():
    """Every source exists and is sent to the builder; every other stage is an earlier one."""
    _, stages = read()
    known: set[str] = set()
    for stage in stages:
        for source in sources(stage):
            assert (REPOSITORY / source).exists()
            assert sent(source)
        assert set(re.findall(r"--from=(\S+)", "\n".join(stage.all("COPY")))) <= known
        known.add(stage.name)
    assert not sent("tests/conftest.py")
    assert not sent(".git/config")
    assert not sent("trainer-image/src/kubetune_trainer/__pycache__")


def test_the_last_stage_is_only_what_runs():
    """Nothing is run or installed in it: no cache and no tool of the build is in its layers."""
    assert read()[1][-1].all("RUN") == []


def test_its_extras_are_the_trainer_s():
    """Every extra that the file names, in a default or a comment, is one that there is."""
    named = set(re.findall(r"--extra (\w+)", FILE.read_text()))
    assert named == {"torch", "mlflow", "wandb", "digits"}
    assert named <= PROJECT["optional-dependencies"].keys()


def test_the_root_may_be_read_only():
    """Wherever a library writes by itself is on a volume."""
    _, (*_, last) = read()
    (volumes,) = (json.loads(line) for line in last.all("VOLUME"))
    assert set(volumes) == {"/tmp", "/cache", "/models"}
    places = {name: last.environment[name] for name in WRITTEN_TO}
    outside = {name for name, path in places.items() if not path.startswith(tuple(volumes))}
    assert outside == set()
    assert last.all("WORKDIR")[-1] in volumes


WRITTEN_TO = (
    "HOME",
    "TMPDIR",
    "HF_HOME",
    "XDG_CACHE_HOME",
    "MPLCONFIGDIR",
    "TORCHINDUCTOR_CACHE_DIR",
    "TRITON_CACHE_DIR",
)


@pytest.mark.parametrize(
    "setting",
    [
        "HF_HUB_DISABLE_TELEMETRY=1",
        "DO_NOT_TRACK=true",
        "MLFLOW_DISABLE_TELEMETRY=true",
        "WANDB_ERROR_REPORTING=false",
        "PYTHONDONTWRITEBYTECODE=1",
    ],
)
def test_no_library_tells_anybody(setting):
    """Telemetry is off in every library that has some."""
    name, value = setting.split("=")
    assert read()[1][-1].environment[name] == value


def test_a_pod_sees_the_gpus_that_it_asked_for():
    """The image does not ask for any: a runtime would give all of the node's to every pod."""
    assert all("NVIDIA_VISIBLE_DEVICES" not in stage.environment for stage in read()[1])


def test_the_trainer_gets_signals_itself():
    """The entry point is a program, not a shell that keeps SIGTERM to itself; it is on the PATH."""
    _, stages = read()
    assert [json.loads(line) for line in stages[-1].all("ENTRYPOINT")] == [["kubetune-trainer"]]
    folders = stages[-1].environment["PATH"].split(":")
    script = re.search(r"> (/\S+)/kubetune-trainer", "\n".join(stages[0].all("RUN")))
    assert script
    assert script[1] in folders


def test_its_script_is_the_trainer():
    """The script that the build writes runs the recipes."""
    (text,) = [line for line in read()[1][0].all("RUN") if "printf" in line]
    lines = re.findall(r"'([^']*)'", text.partition(" > ")[0])[1:]
    assert lines[0] == "#!/opt/venv/bin/python"
    program = compile("\n".join(lines[1:-1]), "kubetune-trainer", "exec")
    names: dict[str, object] = {}
    exec(program, names)
    assert lines[-1] == "main()"
    assert names["main"].__module__ == "kubetune_trainer.main"
