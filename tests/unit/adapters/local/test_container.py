"""What the pod template asks of a process."""

from typing import Any

import pytest

from kubetune.adapters.local.container import Container, LaunchRefused, expand, trainer


def make_template(**container: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "sidecar"}, {"name": "trainer", **container}]}}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("--rate=$(RATE)", "--rate=0.1"),
        ("$(RATE)$(RATE)", "0.10.1"),
        ("$$(RATE)", "$(RATE)"),
        ("$$$(RATE)", "$0.1"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$RATE", "$RATE"),
        ("$(RATE", "$(RATE"),
        ("a $ b", "a $ b"),
        ("$()", "$()"),
    ],
)
def test_references_are_filled_in_as_in_a_pod(text: str, filled: str) -> None:
    """`$(NAME)` is filled in, `$$` is a plain `$`, everything else stays as it is."""
    assert expand(text, {"RATE": "0.1"}) == filled


def test_filled_in_text_is_not_filled_in_again() -> None:
    """A value that looks like a reference is only a value."""
    assert expand("$(A)", {"A": "$(B)", "B": "no"}) == "$(B)"


def test_command_and_args_are_taken_as_they_stand() -> None:
    """Words are never split or read by a shell."""
    container = trainer(make_template(command=["python", "a b.py"], args=["--x=$(X)", "; ls"]))
    assert container.words({"X": "*"}) == ["python", "a b.py", "--x=*", "; ls"]


def test_numbers_and_truths_in_args_are_written_as_in_the_contract() -> None:
    """A YAML number or boolean among the args becomes the word a parameter would be."""
    assert trainer(make_template(command=["x"], args=[1, 0.5, True])).args == ("1", "0.5", "true")


def test_without_a_command_the_entry_point_takes_the_args() -> None:
    """The trainer image's entry point is found beside the interpreter."""
    words = trainer(make_template(args=["digits"])).words({})
    assert words[0].endswith("/kubetune-trainer")
    assert words[1:] == ["digits"]


def test_later_env_entries_see_earlier_ones_and_the_contract() -> None:
    """The value of an entry may refer to the contract's variables and to entries before it."""
    container = trainer(
        make_template(
            env=[
                {"name": "A", "value": "$(P)-a"},
                {"name": "B", "value": "$(A)-$(C)"},
                {"name": "C"},
            ]
        )
    )
    variables = container.variables({"P": "p"})
    assert variables == {"P": "p", "A": "p-a", "B": "p-a-$(C)", "C": ""}


def test_the_contract_is_not_overridden() -> None:
    """An entry of the contract's own name is left out."""
    container = Container(env=(("KUBETUNE_TRIAL", "mine"),))
    assert container.variables({"KUBETUNE_TRIAL": "given"}) == {"KUBETUNE_TRIAL": "given"}


def test_what_needs_a_cluster_is_noted() -> None:
    """`valueFrom` and `envFrom` are named in the log instead of being dropped in silence."""
    container = trainer(
        make_template(
            env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {}}}],
            envFrom=[{"configMapRef": {}}],
        )
    )
    assert container.env == ()
    assert container.notes == (
        "env TOKEN: valueFrom is not read outside a cluster",
        "envFrom is not read outside a cluster",
    )


@pytest.mark.parametrize("template", [{}, {"spec": None}, {"spec": {"containers": [{}]}}])
def test_template_without_trainer_is_refused(template: dict[str, Any]) -> None:
    """The message says which name to give."""
    with pytest.raises(LaunchRefused, match='no container named "trainer"'):
        trainer(template)


@pytest.mark.parametrize(
    "container", [{"env": ["A=1"]}, {"resources": [1]}, {"command": 7}, {"env": {"A": "1"}}]
)
def test_fields_of_a_wrong_kind_are_refused(container: dict[str, Any]) -> None:
    """A template that no API server would take is refused, not a fault of the tuner."""
    with pytest.raises(LaunchRefused, match="trialTemplate is no pod template"):
        trainer(make_template(**container))


@pytest.mark.parametrize(
    ("resources", "count"),
    [
        ({}, 0),
        ({"limits": {"nvidia.com/gpu": 2}}, 2),
        ({"limits": {"nvidia.com/gpu": "4"}}, 4),
        ({"requests": {"nvidia.com/gpu": 1}}, 1),
        ({"limits": {"cpu": "2"}}, 0),
    ],
)
def test_gpus_are_read_from_the_resources(resources: dict[str, Any], count: int) -> None:
    """Limits decide, requests alone do as well."""
    assert trainer(make_template(resources=resources)).gpus == count


@pytest.mark.parametrize("asked", ["half", 0.5, -1, ""])
def test_a_gpu_limit_that_is_no_whole_number_is_refused(asked: object) -> None:
    """The message names the field and the value."""
    with pytest.raises(LaunchRefused, match=r"nvidia\.com/gpu is .* write a whole number"):
        trainer(make_template(resources={"limits": {"nvidia.com/gpu": asked}}))
