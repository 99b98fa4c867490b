"""Rules of the generated reference of the command line."""

import re

from typer.testing import CliRunner

from kubetune.cli import reference
from kubetune.cli.main import app


def test_every_command_and_option_is_in_the_reference() -> None:
    """What the help shows, and nothing else."""
    sections = re.split(r"^## kubetune ", reference.render(), flags=re.MULTILINE)[1:]
    assert sections
    for section in sections:
        name = section.split("\n", 1)[0]
        shown = CliRunner().invoke(app, [name, "--help"]).stdout
        options = set(re.findall(r"(?<![\w-])--[a-z-]+(?=[ ,\n])", shown.split("Options:")[1]))
        listed = re.findall(r"^\| `(?:-\w`, `)?(--[a-z-]+)`", section, re.MULTILINE)
        assert set(listed) == {option for option in options if option != "--help"}
    assert len(sections) == len(app.registered_commands)


def test_it_says_where_an_option_comes_from() -> None:
    """Its default, its variable, or that it must be given."""
    page = reference.render()
    assert "(`KUBETUNE_STORAGE`) | must be given |" in page
    assert "| `--resync-seconds` SECONDS | look at every study at least so often | `60.0` |" in page
    assert "| `--format` table or json |" in page


def test_placeholders_are_no_markup() -> None:
    """`<name>` would vanish from the page."""
    assert "[runs/\\<name>]" in reference.render()
