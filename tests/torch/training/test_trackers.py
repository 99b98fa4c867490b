"""Trackers of others: they see what the study sees, and nothing that they do ends a training."""

import json
import shutil
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mlflow
import pytest
import torch
import wandb
from mlflow.tracking import MlflowClient
from wandb.proto.wandb_internal_pb2 import Record

from tests.torch.training.toy import at, train

HEADER_BYTES, BLOCK_BYTES = 7, 1 << 15

pytestmark = pytest.mark.filterwarnings("ignore")  # their own


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Path]:
    """Where MLflow writes, as a folder."""
    folder = tmp_path / "mlflow"
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", folder.as_uri())
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    yield folder
    with suppress(Exception):
        mlflow.end_run()


def test_mlflow_sees_every_report(tmp_path, store):
    """Parameters, and each metric with its step; the experiment is the study's."""
    trial = train(tmp_path, max_steps=3, learning_rate=0.02, evaluate_first=True)
    client = MlflowClient(store.as_uri())
    experiment = client.get_experiment_by_name("tiny")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == trial.name
    assert run.data.params["learning_rate"] == "0.02"
    for name in ("train_loss", "eval_loss"):
        seen = client.get_metric_history(run.info.run_id, name)
        told = [(step, found[name]) for step, found in trial.reports if name in found]
        assert sorted((each.step, each.value) for each in seen) == told


def test_what_breaks_has_failed_there_too(tmp_path, store):
    """A training that an exception ends is no finished one for whoever looks at the tracker."""
    trial = train(tmp_path, at("loss", 2, lambda: torch.empty(10**15)), max_steps=3)
    assert trial.exit_code == 70
    (run,) = mlflow.search_runs(experiment_names=["tiny"], output_format="list")
    assert run.info.status == "FAILED"


@pytest.mark.parametrize("fault", ["no server", "no such kind", "lost"])
def test_a_broken_mlflow_is_left_alone(tmp_path, store, monkeypatch, capfd, fault):
    """Not there at the start, or gone in the middle: said once, and the training ends as ever."""
    lost = at("loss", 3, lambda: shutil.rmtree(store))
    if fault != "lost":
        uri = "http://127.0.0.1:9" if fault == "no server" else "nothing://known"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        lost = at("loss", 0, lambda: None)
    trial = train(tmp_path, lost, max_steps=5)
    assert trial.result["state"] == "Complete"
    assert len(trial.values("train_loss")) == 5
    assert capfd.readouterr().err.count("MLflow is left out: ") == 1


def test_wandb_sees_every_report(tmp_path, monkeypatch):
    """Without a network too: it writes a file, to be sent by whoever has one."""
    monkeypatch.setenv("WANDB_PROJECT", "tiny")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    trial = train(tmp_path, max_steps=3, learning_rate=0.02, evaluate_first=True)
    wandb.teardown()
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    records = list(records_of(file.read_bytes()))
    (run,) = (record.run for record in records if record.HasField("run"))
    assert (run.display_name, run.run_group) == (trial.name, "tiny")
    assert {each.key: each.value_json for each in run.config.update}["learning_rate"] == "0.02"
    rows = [
        {(item.key or item.nested_key[0]): json.loads(item.value_json) for item in found.item}
        for found in (record.history for record in records if record.HasField("history"))
    ]
    for name in ("train_loss", "eval_loss"):
        told = [(step, found[name]) for step, found in trial.reports if name in found]
        assert [(row["_step"], row[name]) for row in rows if name in row] == told


def test_a_broken_wandb_is_left_alone(tmp_path, monkeypatch, capfd):
    """Settings that it refuses."""
    monkeypatch.setenv("WANDB_PROJECT", "tiny/with/slashes")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    trial = train(tmp_path, max_steps=2)
    wandb.teardown()
    assert trial.result["state"] == "Complete"
    assert capfd.readouterr().err.count("Wandb is left out: ") == 1


def records_of(data: bytes) -> Iterator[Record]:
    """The records of its file: LevelDB's log, each with check, length and kind, in blocks."""
    place, parts = HEADER_BYTES, b""
    while place + 7 <= len(data):
        left = BLOCK_BYTES - place % BLOCK_BYTES
        if left < HEADER_BYTES:
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", data, place)
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in {1, 4}:
            yield Record.FromString(parts)
            parts = b""
