"""The how-to for Kueue: its study waits in a queue that is played, in the words it quotes."""

import re
import shlex
from typing import Any

from ruamel.yaml import YAML

from kubetune.adapters.kubernetes import waits
from kubetune.adapters.kubernetes.names import KUEUE_PREFIX
from tests.integration.operator.stage import Study, below
from tests.integration.operator.test_queue import Queue, queue, runs, waiting
from tests.integration.operator.theatre import Theatre
from tests.integration.test_docs import REPOSITORY, block, blocks
from tests.integration.tuner import command

PAGE = REPOSITORY / "docs" / "how-to" / "queue-with-kueue.md"

__all__ = ["queue"]


def test_the_page_s_study_waits_as_the_page_says(theatre: Theatre, queue: Queue, tmp_path) -> None:
    """Its labels are its Jobs', its annotations its pods', and its commands show it waiting."""
    file = tmp_path / "study.yaml"
    file.write_text(block(PAGE, "yaml study.yaml"))
    checked = command("validate", str(file))
    assert (checked.returncode, checked.stderr) == (0, "")
    theatre.play.script = below(0)
    apply, jobs = (shlex.split(line)[1:] for line in block(PAGE, "sh apply").splitlines())
    here = ("--namespace", theatre.namespace)
    theatre.plane.kubectl(*[str(file) if word == file.name else word for word in apply], *here)
    study = Study.there(theatre.plane, theatre.namespace, "queued")
    study.until(lambda: len(waiting(study)) == 8, "as many to wait as may run")
    shown = theatre.plane.kubectl(*jobs, *here).splitlines()
    assert [line.split()[-1] for line in shown] == ["QUEUE-NAME", *["gpus"] * 8]
    (words,) = (shlex.split(line)[1:] for line in block(PAGE, "sh waiting").splitlines())
    told = theatre.plane.kubectl(*words, *here).splitlines()
    assert told == [f"{number} {waits.queued().words}" for number in range(8)]
    manifest: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    for job in study.jobs:
        assert manifest["metadata"]["labels"].items() <= job["metadata"]["labels"].items()
        inside = job["spec"]["template"]["metadata"]["annotations"]
        given = manifest["spec"]["trialTemplate"]["metadata"]["annotations"]
        assert given.items() <= inside.items()
        assert all(name.startswith(KUEUE_PREFIX) for name in given)
    queue.admit(min(job["metadata"]["name"] for job in study.jobs))
    study.until(lambda: len(runs(study)) == 1, "one to run")
    study.delete()


def test_the_page_quotes_what_a_status_says() -> None:
    """Both waits that are a queue's, word for word; and every block is followed above."""
    quoted = re.findall(r"^\| `([^`]+)` \| ", PAGE.read_text(), re.MULTILINE)
    assert {waits.queued().words, waits.released().words} == set(quoted)
    assert {head for head, _ in blocks(PAGE)} == {"yaml study.yaml", "sh apply", "sh waiting"}
