"""A Katib Experiment, converted, tunes on a real node."""

from kubetune.api import reader
from kubetune.convert.conversion import convert
from tests.e2e.lab import Lab, Study

EXPERIMENT = """
apiVersion: kubeflow.org/v1beta1
kind: Experiment
metadata: {name: converted}
spec:
  objective: {type: minimize, objectiveMetricName: valid-loss}
  algorithm: {algorithmName: tpe}
  parallelTrialCount: 1
  maxTrialCount: 2
  metricsCollectorSpec:
    collector: {kind: File}
    source: {fileSystemPath: {path: /katib/values, kind: File}}
  parameters:
  - name: learning-rate
    parameterType: double
    feasibleSpace: {min: "0.25", max: "0.75", step: "0.25"}
  - name: epochs
    parameterType: int
    feasibleSpace: {min: "3", max: "3"}
  trialTemplate:
    primaryContainerName: main
    trialParameters:
    - {name: rate, reference: learning-rate}
    - {name: epochs, reference: epochs}
    - {name: trial, reference: "${trialSpec.Name}"}
    trialSpec:
      apiVersion: batch/v1
      kind: Job
      spec:
        template:
          spec:
            terminationGracePeriodSeconds: 1
            containers:
            - name: main
              image: busybox:latest
              imagePullPolicy: IfNotPresent
              command: [sh, -c]
              args:
              - >-
                echo "valid-loss=${trialParameters.rate}" > /katib/values;
                printf '{"schema": 1, "state": "Complete", "message": "%s", "metrics":
                {"valid_loss": %s, "epochs": %s}}' "${trialParameters.trial}"
                "${trialParameters.rate}" "$EPOCHS" > /dev/termination-log
              env: [{name: EPOCHS, value: "${trialParameters.epochs}"}]
            restartPolicy: Never
"""


def test_a_converted_experiment_tunes(lab: Lab) -> None:
    """Placeholders become values, a trial knows its Job, the folder of Katib is there."""
    text = convert(reader.parse(EXPERIMENT)).text
    assert text is not None
    study = Study(lab, "converted")
    study.plane.request("POST", lab.path, reader.parse(text).data)
    trials = study.finish()
    assert len(trials) == 2
    for number, trial in trials.items():
        assert trial.outcome is not None
        assert trial.outcome.values == (trial.parameters["learning_rate"],)
        assert trial.outcome.metrics["epochs"] == 3
        assert trial.outcome.message == f"converted-{study.uid.replace('-', '')[:6]}-{number}"
