"""What a study hands to a trial."""

import json
from pathlib import Path

import pytest

from kubetune_trainer.contract import Order, read_environment, read_order
from kubetune_trainer.exits import BadConfiguration

GOLDEN = """{"schema":1,"study":"style-lora","namespace":"team-a","uid":"0b7c","trial":7,
"attempt":2,"stage":"finalist","seed":1234,"objectives":["clip_score","seconds"],
"reportIntervalSeconds":0.5,"resume":true,"later":{"field":1},
"parameters":{"learning_rate":6e-5,"network_dim":128,"optimizer":"Prodigy","cache":true}}"""


def test_golden_order():
    """Every field of KUBETUNE_TRIAL arrives; one that this trainer does not know is left alone."""
    assert read_order(GOLDEN) == Order(
        study="style-lora",
        namespace="team-a",
        uid="0b7c",
        trial=7,
        attempt=2,
        stage="finalist",
        seed=1234,
        objectives=("clip_score", "seconds"),
        report_interval_seconds=0.5,
        resume=True,
        parameters={
            "learning_rate": 6e-5,
            "network_dim": 128,
            "optimizer": "Prodigy",
            "cache": True,
        },
    )


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"schema": 2}, "schema: 2"),
        ({"schema": None}, "schema: None"),
        ({"trial": "7"}, "trial: '7'"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"attempt": True}, "attempt: True"),
        ({"stage": 3}, "stage: 3"),
        ({"resume": 1}, "resume: 1"),
        ({"objectives": "loss"}, "objectives: 'loss'"),
        ({"objectives": [1]}, "objectives: [1]"),
        ({"reportIntervalSeconds": "1s"}, "reportIntervalSeconds: '1s'"),
        ({"parameters": []}, "parameters: []"),
        ({"parameters": {"rate": None}}, "parameters.rate: None"),
        ({"parameters": {"betas": [0.9]}}, "parameters.betas: [0.9]"),
    ],
)
def test_wrong_field(fields, named):
    """A field of the wrong kind is refused by name and value."""
    text = json.dumps({"schema": 1} | fields)
    with pytest.raises(BadConfiguration) as refused:
        read_order(text)
    assert f"KUBETUNE_TRIAL.{named}" in str(refused.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_no_object(text):
    """What is no JSON object is refused."""
    with pytest.raises(BadConfiguration, match="KUBETUNE_TRIAL: "):
        read_order(text)


def test_outside_any_study():
    """Without KUBETUNE_TRIAL there is no order, no checkpoints and no port."""
    found = read_environment({})
    assert (found.order, found.checkpoint_dir, found.metrics_port) == (None, None, None)


def test_in_a_pod():
    """A pod's trial is scraped from outside and leaves its result where the kubelet looks."""
    found = read_environment({"KUBETUNE_TRIAL": '{"schema":1}', "KUBETUNE_METRICS_PORT": "9464"})
    assert (found.metrics_host, found.metrics_port) == ("0.0.0.0", 9464)
    assert found.result_file == Path("/dev/termination-log")


@pytest.mark.parametrize(
    ("environ", "rank", "name"),
    [
        ({"RANK": "0"}, 0, "log"),
        ({"RANK": "1"}, 1, None),
        ({"LOCAL_RANK": "1"}, 1, None),
        ({"RANK": "0", "LOCAL_RANK": "1"}, 0, "log"),
        ({"RANK": "0", "KUBETUNE_TRAINER_EACH": "1"}, 0, "log.0"),
        ({"RANK": "1", "KUBETUNE_TRAINER_EACH": "1"}, 1, "log.1"),
    ],
)
def test_one_of_several(environ, rank, name):
    """Of several processes the first has the port and the result, unless each has one."""
    port = {"KUBETUNE_METRICS_PORT": "9464", "KUBETUNE_TERMINATION_LOG": "/folder/log"}
    found = read_environment(port | environ)
    assert found.rank == rank
    assert found.metrics_port == (None if rank else 9464)
    assert found.result_file == (name and Path("/folder") / name)


@pytest.mark.parametrize("port", ["http", "-1", "65536", "1.5"])
def test_wrong_port(port):
    """A port that cannot be one is refused with its value."""
    with pytest.raises(BadConfiguration, match="KUBETUNE_METRICS_PORT"):
        read_environment({"KUBETUNE_METRICS_PORT": port})
