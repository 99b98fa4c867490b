"""Placeholders: variables where Kubernetes fills them in, values where they never change."""

import pytest

from tests.unit.convert.made import changed, said, spec

ARGS = '["--lr=${trialParameters.rate}", "${trialParameters.units}"]'
FIXED = ('min: "16", max: "64"', 'min: "32", max: "32"')
IMAGE = "image: registry.example/train:1"


def trainer(*changes):
    return spec(*changes)["trialTemplate"]["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ('["${trialParameters.rate}"]', "$(KUBETUNE_PARAM_lr)"),
        ('["a${trialParameters.rate}b${trialParameters.units}"]',
         "a$(KUBETUNE_PARAM_lr)b$(KUBETUNE_PARAM_units)"),
        ('["$HOME $(HOME) ${HOME} $${trialParameters.rate}"]',
         "$HOME $(HOME) ${HOME} $$$(KUBETUNE_PARAM_lr)"),
    ],
)  # fmt: skip
def test_only_placeholders_are_filled_in(text, filled):
    """What else looks like a variable stays the container's own."""
    assert trainer((ARGS, text))["args"] == [filled]


def test_a_value_that_never_changes_may_stand_anywhere():
    """In an image's tag it is written out; in arguments it comes like every value."""
    image = (IMAGE, 'image: "registry.example/train:${trialParameters.units}"')
    found = trainer(FIXED, image)
    assert found["image"] == "registry.example/train:32"
    assert found["args"][1] == "$(KUBETUNE_PARAM_units)"


def test_a_trial_s_own_name_comes_from_its_pod():
    """It is its Job's, which the pod knows; the variable stands before those that use it."""
    found = trainer(("reference: lr", 'reference: "${trialSpec.Name}"'))
    field = "metadata.labels['batch.kubernetes.io/job-name']"
    assert found["env"][0] == {
        "name": "KATIB_TRIAL_NAME",
        "valueFrom": {"fieldRef": {"fieldPath": field}},
    }
    assert found["args"][0] == "--lr=$(KATIB_TRIAL_NAME)"


def test_a_variable_that_is_the_trial_s_name_comes_from_the_pod_itself():
    """Whatever it is called: it refers to no other, and none is added beside it."""
    asked = ("reference: optimizer", 'reference: "${trialSpec.Name}"')
    found = trainer(asked, ("{name: OPTIMIZER,", "{name: KATIB_TRIAL_NAME,"))
    (entry,) = found["env"]
    assert entry["name"] == "KATIB_TRIAL_NAME"
    assert entry["valueFrom"]["fieldRef"]["fieldPath"].endswith("job-name']")


def test_the_namespace_is_written_out_where_it_is_known():
    """Else the pod fills it in."""
    asked = ("reference: lr", 'reference: "${trialSpec.Namespace}"')
    assert trainer(asked)["args"][0] == "--lr=$(KATIB_TRIAL_NAMESPACE)"
    named = ("{name: mnist}", "{name: mnist, namespace: team-a}")
    assert trainer(asked, named)["args"][0] == "--lr=team-a"


def test_a_value_is_no_reference():
    """Text from Katib that happens to look like one is kept from Kubernetes."""
    asked = ("reference: lr", 'reference: "${trialSpec.Labels[note]}"')
    label = ("      kind: Job\n", "      kind: Job\n      metadata: {labels: {note: $(HOME)}}\n")
    assert trainer(asked, label)["args"][0] == "--lr=$$(HOME)"


def test_a_parameter_that_nobody_uses_is_said():
    """The trial is told its value all the same; whether it reads it, is the person's to see."""
    (words,) = said(("    - {name: rate, reference: lr}\n", ""), (ARGS, "[fast]"),
                    ("    - {name: units, reference: units}\n", ""))[:1]  # fmt: skip
    assert "the trial finds it in $KUBETUNE_PARAM_lr" in words
    assert any("nothing in trialSpec uses it" in line for line in said((ARGS, "[fast]")))


def test_the_container_that_trains_is_the_trial():
    """Others keep their names, and their place."""
    beside = (
        "            restartPolicy",
        "            - {name: log, image: a}\n            restartPolicy",
    )
    names = [each["name"] for each in spec(beside)["trialTemplate"]["spec"]["containers"]]
    assert names == ["trainer", "log"]
    assert changed(beside).lossless
