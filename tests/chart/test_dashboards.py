"""The dashboards are what their source makes, as Grafana wants them, of metrics that there are.

The rules are those of grafana/dashboard-linter, with three exceptions. Where it asks for the
variables `job` and `instance`, ours are `namespace` and `study`: pods come and go, a study stays.
Rejected draws are shown as they stand: a rate would not see the first ones. Figures of the whole
time that is shown are over `$__range`.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.board import DASHBOARDS, text
from tests.chart.boards import FOLDER, NAMES, Query, board, panels, queries, variables
from tests.chart.series import KNOWN, REPORTED

PLAIN = {"namespace": "team", "study": "digits", "trial": "3", "metric": "loss"}
UNITS = {unit for unit in vars(units).values() if isinstance(unit, str)}
AS_IT_STANDS = {"kubetune_study_rejected_draws_total"}

each_board = pytest.mark.parametrize("name", NAMES)


def walked(node: Any) -> Iterator[Any]:
    """A node and all below it."""
    found: list[Any] = []
    promql_parser.walk(node, found.append)
    return iter(found)


def parsed(query: Query) -> Any:
    return promql_parser.parse(query.filled(**PLAIN))


@each_board
def test_the_chart_has_what_the_source_makes(name: str) -> None:
    """`make generate` was run, and no other dashboard lies beside."""
    assert (FOLDER / f"{name}.json").read_text() == text(DASHBOARDS[name]())
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES) == set(DASHBOARDS)


@each_board
def test_the_sdk_reads_it_back(name: str) -> None:
    """Nothing in it is unknown to the schema of Grafana's own SDK, or of another kind."""
    register_default_plugins()
    read = Dashboard.from_json(board(name))
    assert json.loads(JSONEncoder().encode(read)) == board(name)


@each_board
def test_it_can_be_found_again(name: str) -> None:
    """A stable uid, a title, a tag that leads to the others; no edit that an upgrade undoes."""
    found = board(name)
    assert found["uid"] == f"kubetune-{name}"
    assert found["title"]
    assert found["description"]
    assert found["editable"] is False
    assert "id" not in found
    numbers = [panel["id"] for panel in found["panels"]]
    assert sorted(set(numbers)) == numbers
    titles = [panel["title"] for panel in panels(name)]
    assert sorted(set(titles)) == sorted(titles)
    (link,) = found["links"]
    assert set(link["tags"]) <= set(found["tags"])
    assert link["includeVars"]
    assert link["keepTime"]


@each_board
def test_its_variables_lead_from_one_to_the_next(name: str) -> None:
    """The datasource first; values are looked up in it again when the time changes."""
    found = variables(name)
    first, *others = found.values()
    assert first["label"] == "Data Source"
    assert (first["name"], first["type"], first["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    assert [each["name"] for each in others] == {
        "fleet": ["namespace"],
        "study": ["namespace", "study", "trial", "metric"],
        "trial": ["namespace", "study", "trial", "metric"],
    }[name]
    for each in others:
        assert each["label"]
        assert each["refresh"] == 2
        assert each["datasource"]["uid"] == "${datasource}"
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", each["query"]).groups()
        node = promql_parser.parse(re.sub(r"\$\w+", "x", selector))
        assert label in KNOWN[node.name]
        assert {matcher.name for matcher in node.matchers.matchers} <= KNOWN[node.name]
        used = set(re.findall(r"\$(\w+)", selector))
        assert used <= {before["name"] for before in others[: others.index(each)]}


@each_board
def test_a_panel_says_what_it_shows(name: str) -> None:
    """A title, a sentence, a unit, the chosen datasource, and no place that another has."""
    for panel in panels(name):
        assert panel["title"]
        assert len(panel["description"]) > 20
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert {source["uid"] for source in sources} == {"${datasource}"}
        letters = [target["refId"] for target in panel["targets"]]
        assert len(set(letters)) == len(letters)


@each_board
def test_panels_do_not_lie_on_each_other(name: str) -> None:
    """Every field of the grid has one panel at most, and none is left of or right of the page."""
    taken: set[tuple[int, int]] = set()
    for panel in board(name)["panels"]:
        place = panel["gridPos"]
        fields = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not fields & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= fields


@each_board
def test_a_query_is_promql(name: str) -> None:
    """With any value of its variables, of which none is unknown."""
    for query in queries(name):
        assert parsed(query), str(query)
        assert query.asked <= {*variables(query.board), "__rate_interval", "__range"}, str(query)


@each_board
def test_a_query_asks_for_what_there_is(name: str) -> None:
    """Metrics and labels are those of the operator, of a trial, or of others that are named."""
    for query in queries(name):
        for node in walked(parsed(query)):
            if isinstance(node, promql_parser.VectorSelector):
                assert node.name in KNOWN, str(query)
                used = {matcher.name for matcher in node.matchers.matchers}
                assert used <= KNOWN[node.name], str(query)


@each_board
def test_a_query_keeps_to_what_was_chosen(name: str) -> None:
    """What is labelled by study is asked of the chosen namespaces; nothing is written in."""
    for query in queries(name):
        for node in walked(parsed(query)):
            if isinstance(node, promql_parser.VectorSelector):
                matchers = {matcher.name: matcher.value for matcher in node.matchers.matchers}
                if "namespace" in matchers:
                    assert matchers["namespace"] == PLAIN["namespace"]
                elif "study" in KNOWN[node.name]:
                    assert query.panel == "GPUs busy and idle"
                for label in ("study", "kubetune_io_study"):
                    assert matchers.get(label, PLAIN["study"]) == PLAIN["study"]
                    if query.board != "fleet" and label in KNOWN[node.name]:
                        assert label in matchers, str(query)


@each_board
def test_counters_are_asked_for_their_growth(name: str) -> None:
    """Over the interval that Grafana works out, or over all that is shown."""
    for query in queries(name):
        bare = re.findall(r"(\w+_(?:total|bucket))(?:{[^}]*})?(?!\[|{|\w)", query.expression)
        assert set(bare) <= AS_IT_STANDS, str(query)
        spans = set(re.findall(r"\[([^\]]+)\]", query.expression))
        assert spans <= {"$__rate_interval", "$__range"}, str(query)


@each_board
def test_a_legend_names_labels_that_the_answer_has(name: str) -> None:
    """Else every line would have the same name."""
    for query in queries(name):
        kept = {
            label
            for node in walked(parsed(query))
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier
            for label in node.modifier.labels
        }
        assert set(re.findall(r"{{(\w+)}}", query.legend)) <= kept, str(query)


@each_board
def test_names_of_metrics_are_what_recipes_report(name: str) -> None:
    """A name that no recipe reports would leave its line out for ever."""
    for query in queries(name):
        for pattern in re.findall(r'name=~"([^"$]+)"', query.expression):
            assert [name for name in REPORTED if re.fullmatch(pattern, name)], pattern
