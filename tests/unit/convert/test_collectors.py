"""Collectors: lines that report, a folder that is there, queries and their port."""

import json
import subprocess

import pytest

from kubetune.convert.collectors import python_line, shell_line
from kubetune.domain.result import TrialResult, parse
from tests.unit.convert.made import spec

COLLECTOR = "    collector: {kind: StdOut}\n"
CONTAINER = "              image: registry.example/train:1\n"
SCRAPED = "    collector: {kind: PrometheusMetric}\n"


def trainer(*changes):
    return spec(*changes)["trialTemplate"]["spec"]["containers"][0]


def test_the_line_for_any_program_writes_a_result(tmp_path):
    """As it stands it is a shell's, and what it writes keeps the contract."""
    log = tmp_path / "result"
    script = f"loss=0.25 accuracy=9e-1\n{shell_line({'loss': 'loss', 'Acc': 'accuracy'})}\n"
    environment = {"KUBETUNE_TERMINATION_LOG": str(log), "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-eu", "-c", script], env=environment, check=True)
    result = parse(log.read_bytes(), 0)
    assert isinstance(result, TrialResult)
    assert result.metrics == {"loss": 0.25, "accuracy": 0.9}
    assert json.loads(log.read_text())["schema"] == 1


def test_the_line_for_python_is_python():
    """Each metric under the name that the study knows."""
    line = python_line({"valid-loss": "valid_loss", "f1": "f1"})
    compile(line, "line", "eval")
    assert line == "trial.report(valid_loss=valid_loss, f1=f1)"


@pytest.mark.parametrize(
    ("source", "folder"),
    [
        ("{kind: File}\n    source: {fileSystemPath: {path: /a/b.log, kind: File}}", "/a"),
        ("{kind: File}", "/var/log/katib"),
        ("{kind: TensorFlowEvent}", "/var/log/katib/tfevent"),
        (
            "{kind: TensorFlowEvent}\n    source: {fileSystemPath: {path: /e, kind: Directory}}",
            "/e",
        ),
        ("{kind: File}\n    source: {fileSystemPath: {path: /b.log, kind: File}}", None),
    ],
)
def test_the_folder_that_katib_makes_is_there(source, folder):
    """The program goes on writing its file; the root of the image is there anyway."""
    mounts = trainer((COLLECTOR, f"    collector: {source}\n")).get("volumeMounts", [])
    assert [mount["mountPath"] for mount in mounts] == ([folder] if folder else [])


def test_a_folder_that_is_mounted_already_stays():
    """And a volume's name is given once."""
    collector = (COLLECTOR, "    collector: {kind: File}\n")
    mounted = f"{CONTAINER}              volumeMounts: [{{name: a, mountPath: /var/log/katib}}]\n"
    assert len(trainer(collector, (CONTAINER, mounted))["volumeMounts"]) == 1
    taken = "            volumes: [{name: metrics-volume, emptyDir: {}}]\n            containers:\n"
    pod = spec(collector, ("            containers:\n", taken))["trialTemplate"]["spec"]
    assert [volume["name"] for volume in pod["volumes"]] == [
        "metrics-volume",
        "metrics-volume-of-katib",
    ]


@pytest.mark.parametrize(
    ("ports", "named"),
    [
        ("", [{"name": "metrics", "containerPort": 8080}]),
        ("[{containerPort: 8080}]", [{"name": "metrics", "containerPort": 8080}]),
        ("[{containerPort: 9, name: metrics}]", [{"name": "metrics", "containerPort": 9}]),
        (
            "[{containerPort: 8080, name: web}]",
            [{"name": "web", "containerPort": 8080}, {"name": "metrics", "containerPort": 8080}],
        ),
    ],
)
def test_the_port_that_is_scraped_is_named(ports, named):
    """A port that has a name keeps it: others may refer to it."""
    text = f"{CONTAINER}              ports: {ports}\n" if ports else CONTAINER
    assert trainer((COLLECTOR, SCRAPED), (CONTAINER, text))["ports"] == named


def test_queries_ask_for_the_metrics():
    """The objective's and the others', by the names of their series."""
    found = spec((COLLECTOR, SCRAPED))["metrics"]["queries"]
    assert found == [{"name": one, "promQL": one} for one in ("loss", "accuracy")]
