"""Nothing that a page shows goes unseen: each block has a test that names it."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML
from typer.core import TyperGroup

from kubetune.adapters.kubernetes import names
from kubetune.cli.main import app
from tests.integration.test_docs import DOCUMENTS, REPOSITORY, block, blocks, run
from tests.integration.tuner import Workplace

PAGES = sorted((REPOSITORY / "docs").glob("**/*.md"))
TESTS = {file: file.read_text() for file in (REPOSITORY / "tests").glob("**/*.py")}
SHOWN = "text"
"""The language of blocks that are looked at, not typed."""

BLOCKS = [
    pytest.param(page, head, id=f"{page.relative_to(REPOSITORY)}: {head}")
    for page in PAGES
    for head, _ in blocks(page)
    if head.split()[0] != SHOWN
]
CONSTRAINTS = REPOSITORY / "docs" / "how-to" / "write-constraints.md"
REPORT = REPOSITORY / "docs" / "how-to" / "read-the-report.md"
OPERATOR = REPOSITORY / "docs" / "how-to" / "run-the-operator.md"


def about(page: Path) -> list[str]:
    """The texts of tests that name a page, and of those that take it from them."""
    found = {file for file, text in TESTS.items() if page.name in text}
    for _ in range(2):
        modules = [".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in found]
        found |= {
            file for file, text in TESTS.items() for each in modules if f"from {each} " in text
        }
    return [TESTS[file] for file in found]


@pytest.mark.parametrize(("page", "head"), BLOCKS)
def test_each_block_has_a_test(page: Path, head: str) -> None:
    """A test that names the page names the block as well, or takes all of its language."""
    language, _, name = head.partition(" ")
    quoted = rf"""["' ]{re.escape(name or language)}["']|startswith\("{language} "\)"""
    assert [text for text in about(page) if re.search(quoted, text)], f"no test runs {head!r}"


def test_every_block_has_a_language() -> None:
    """A fence without one would be shown, and seen by no test."""
    bare = [
        str(page.relative_to(REPOSITORY))
        for page in PAGES
        for fence in re.findall(r"^```.*$", page.read_text(), re.MULTILINE)[::2]
        if fence == "```"
    ]
    assert bare == []


def anchors(page: Path) -> set[str]:
    """What a page's headings are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    """A heading that is renamed takes its links with it."""
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text())
    missing = [
        anchor
        for target, anchor in links
        if anchor not in anchors((page.parent / target) if target else page)
    ]
    assert missing == []


def words_of_kubetune() -> list[tuple[str, list[str]]]:
    """Every `kubetune ...` that stands in a block of shell, with its page."""
    found = []
    for page in DOCUMENTS:
        for head, text in blocks(page):
            if head.split()[0] not in {"sh", "console"}:
                continue
            for line in re.sub(r"\\\n", " ", text).splitlines():
                for part in re.findall(r"(?:^|[|;&$] *)kubetune ([a-z].*)", line):
                    words = shlex.split(re.split(r" [|;&>#]", part)[0])
                    found.append((str(page.relative_to(REPOSITORY)), words))
    return found


@pytest.mark.parametrize(("page", "words"), words_of_kubetune(), ids=" ".join)
def test_each_command_line_is_one_of_kubetune_s(page: str, words: list[str]) -> None:
    """The command is there, and takes these arguments and options."""
    del page
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    context = group.commands[words[0]].make_context(words[0], words[1:])
    assert not context.args


def test_constraints_are_what_the_how_to_says(tmp_path: Path) -> None:
    """Its manifest leaves as much of the space as is shown, and each constraint bites."""
    (tmp_path / "constrained.yaml").write_text(block(CONSTRAINTS, "yaml constrained.yaml"))
    done = run(["sh", "-e", "-c", block(CONSTRAINTS, "sh ask")], tmp_path)
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert block(CONSTRAINTS, "text validate") in said
    manifest = YAML(typ="safe").load(block(CONSTRAINTS, "yaml constrained.yaml"))
    for constraint in manifest["spec"]["constraints"]:
        assert re.search(rf"  {constraint['name']} \((hard|soft)\) turned down \d+", said)


@pytest.mark.parametrize(
    "row", re.findall(r"\| `((?:forbid|require): .*?)` \|", CONSTRAINTS.read_text())
)
def test_every_expression_of_the_how_to_is_taken(tmp_path: Path, row: str) -> None:
    """Beside the constraints that are there; what stands for any other expression is left out."""
    row = row.replace("a && b", "width == 256 && batch_size == 8")
    text = block(CONSTRAINTS, "yaml constrained.yaml")
    place = "  constraints:\n"
    (tmp_path / "study.yaml").write_text(text.replace(place, f"{place}  - {{name: more, {row}}}\n"))
    done = run(["kubetune", "validate", "study.yaml"], tmp_path)
    assert "valid: 5 parameters" in done.stdout, done.stderr


@pytest.mark.timeout(400)
def test_reports_are_made_as_the_how_to_says(tmp_path: Path) -> None:
    """Of a folder and of its database; PostgreSQL and a cluster take the same words elsewhere."""
    place = Workplace(tmp_path)
    place.write()
    assert place.run("--no-plots").returncode == 0
    folder, database, *_ = block(REPORT, "sh report").splitlines()
    (stored,) = place.run_folder.glob("*.sqlite3")
    for line in (
        folder.replace("runs/digits", str(place.run_folder)),
        database.replace("/data/kubetune.db", str(stored)).replace("team-a/digits", "tiny"),
    ):
        done = run(["sh", "-e", "-c", line], tmp_path)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "report" / "REPORT.md").exists()


def test_the_pod_monitor_finds_trials() -> None:
    """It selects their label and port, and puts on the series what belongs to a trial."""
    spec = YAML(typ="safe").load(block(OPERATOR, "yaml podmonitor"))["spec"]
    assert spec["selector"]["matchLabels"] == names.MANAGED
    assert {names.STUDY, names.STUDY_UID, names.TRIAL, names.ATTEMPT} == set(
        spec["podTargetLabels"]
    )
    assert [each["port"] for each in spec["podMetricsEndpoints"]] == [names.METRICS]
