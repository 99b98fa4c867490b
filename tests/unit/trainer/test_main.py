"""The command line of the recipes."""

import sys

import pytest

from kubetune_trainer import main


@pytest.fixture
def recipe(monkeypatch):
    """A recipe named `echo` that remembers the trial it was given."""
    seen: list[main.Trial] = []
    module = type(sys)("kubetune_trainer.recipes.echo")
    module.train = seen.append  # type: ignore[attr-defined]  # made here
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(main.RECIPES, "echo", "says nothing")
    monkeypatch.delenv("KUBETUNE_TRIAL", raising=False)
    return seen


def test_help_lists_recipes(recipe, capsys, exit_code):
    """`--help` names every recipe with its phrase."""
    assert exit_code(lambda: main.main(["--help"])) == 0
    assert "echo             says nothing" in capsys.readouterr().out


def test_help_of_a_recipe_says_what_it_does_and_lists_what_it_takes(capsys, exit_code):
    """After a recipe's name `--help` has each of its parameters, what it may be and its default."""
    assert exit_code(lambda: main.main(["digits", "--help"])) == 0
    said = capsys.readouterr().out
    assert "digits: A small network learns to read handwritten digits." in said
    assert "`momentum` is for the optimizer of that name" in said
    assert "  learning_rate  0.05  (a number)" in said
    assert '  schedule       "cosine"  (one of constant, cosine)' in said


def test_settings(recipe):
    """Values set by hand reach the recipe."""
    main.main(["echo", "--set", "rate=0.5", "--set", "optimizer=adam", "--seed", "3"])
    assert recipe[0].parameters == {"rate": 0.5, "optimizer": "adam"}
    assert (recipe[0].seed, recipe[0].stage) == (3, "search")


def test_config(recipe, tmp_path):
    """Training a finished study's configuration is the held-out stage; --set goes over it."""
    path = tmp_path / "best_config.yaml"
    path.write_text("study: x\ntrial: 3\nparameters: {rate: 0.5, dim: 64}\nseed: 9\n")
    main.main(["echo", "--config", str(path), "--set", "dim=128"])
    assert recipe[0].parameters == {"rate": 0.5, "dim": 128}
    assert (recipe[0].seed, recipe[0].stage) == (9, "heldout")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "RECIPE"),
        (["digit"], "'digit'"),
        (["echo", "--sed", "3"], "--sed"),
        (["echo", "--seed", "x"], "--seed"),
        (["echo", "--set", "rate"], "--set 'rate': write name=value"),
        (["echo", "--config", "absent.yaml"], "absent.yaml"),
    ],
)
def test_wrong_command_line(recipe, capsys, exit_code, arguments, message):
    """What is wrong on the command line is said without a traceback; no attempt will cure it."""
    assert exit_code(lambda: main.main(arguments)) == 64
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_wrong_recipe_in_a_study(recipe, study, monkeypatch, exit_code):
    """In a study a wrong recipe is a result that names it."""
    for name, value in study.environ().items():
        monkeypatch.setenv(name, value)
    assert exit_code(lambda: main.main(["digit"])) == 64
    assert study.result["reason"] == "BadConfiguration"
    assert "'digit'" in study.result["message"]


def test_settings_in_a_study(recipe, study, monkeypatch, exit_code):
    """A study's trial takes no values from its command line."""
    for name, value in study.environ().items():
        monkeypatch.setenv(name, value)
    assert exit_code(lambda: main.main(["echo", "--set", "rate=1"])) == 64
    assert recipe == []


def test_a_recipe_as_a_program(recipe):
    """`run` gives a single recipe the same options."""
    main.run(recipe.append, ["--set", "rate=1"])
    assert recipe[0].parameters == {"rate": 1}
