"""Rules of CEL expressions: what is accepted, what it means, what a fault says."""

import pytest

from kubetune.domain import cel_tree
from kubetune.domain.expressions import (
    TEXT_LIMIT,
    ExpressionFault,
    Kind,
    Undefined,
    check_syntax,
    compile_expression,
)

SCOPE = {
    "rate": Kind.DOUBLE,
    "dim": Kind.INT,
    "optimizer": Kind.STRING,
    "flag": Kind.BOOL,
    "metrics": Kind.DOUBLES,
}
VALUES = {"rate": 1, "dim": 3, "optimizer": "Adam", "flag": True, "metrics": {"loss": 1}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("dim < 3.5", True),
        ("rate == 1", True),
        ("dim != 3.0", False),
        ("int(double(dim) * 0.5)", 1),
        ("dim in [1, 3]", True),
        ("optimizer == 'Adam' && flag", True),
        ("flag ? 1.5 : 2.5", 1.5),
        ("metrics.loss > 0.5 || metrics.missing > 1.0", True),
        ("metrics['loss'] >= 1", True),
        ("optimizer.startsWith('A')", True),
        ("[1, 2, 3].exists(x, x == dim)", True),
    ],
)
def test_an_expression_has_the_value_that_cel_gives_it(text, value):
    """Numbers of different kinds compare; everything else is CEL as it is."""
    assert compile_expression(text, SCOPE).evaluate(VALUES) == value


@pytest.mark.parametrize("text", ["metrics.missing > 1.0", "1 / 0 == 1", "dim % 0 == 1"])
def test_what_has_no_value_is_undefined_and_does_not_hold(text):
    """A metric not yet reported and impossible arithmetic raise Undefined, and never hold."""
    expression = compile_expression(text, SCOPE)
    assert not expression.holds(VALUES)
    with pytest.raises(Undefined):
        expression.evaluate(VALUES)


def test_a_missing_variable_is_undefined():
    """A variable without a value makes the expression undefined, not an error of another kind."""
    with pytest.raises(Undefined):
        compile_expression("rate > 1.0", SCOPE).evaluate({})


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("dim * rate", 5, "int * double: write double(dim)"),
        ("rate * (dim + 1)", 6, "double * int: write double(dim + 1)"),
        ("2 * rate", 3, "int * double: write 2.0"),
        ("rate > 1 && nosuch == 1", 13, "unknown name 'nosuch'"),
        ("optimiser == 'Adam'", 1, "did you mean 'optimizer'?"),
        ("rate >", 7, "ends too early"),
        ("rate = 1", 6, "write =="),
        ("rate > 1 and flag", 10, "'and' is not CEL: write &&"),
        ("optimizer == 1", 11, "quote the value"),
        ("", 1, "empty"),
        ("x" * (TEXT_LIMIT + 1), 1, "longer than"),
    ],
)
def test_a_fault_names_its_column_and_what_to_write(text, column, message):
    """Every fault points into the text and says what to write instead."""
    with pytest.raises(ExpressionFault) as caught:
        compile_expression(text, SCOPE)
    assert caught.value.faults[0][0] == column
    assert message in caught.value.faults[0][1]


def test_all_faults_are_found_at_once():
    """Two unknown names are two faults."""
    with pytest.raises(ExpressionFault) as caught:
        compile_expression("one > 1 && two > 2", SCOPE)
    assert [column for column, _ in caught.value.faults] == [1, 12]


def test_a_result_of_another_kind_is_refused():
    """A constraint must be true or false; a number is not."""
    with pytest.raises(ExpressionFault, match="true or false"):
        compile_expression("dim + 1", SCOPE, (Kind.BOOL,))


def test_names_and_fields_are_known():
    """What an expression reads is known without evaluating it."""
    expression = compile_expression("metrics.loss > rate && metrics['top'] > 1.0", SCOPE)
    assert expression.names == {"metrics", "rate"}
    assert expression.fields == {("metrics", "loss"), ("metrics", "top")}


@pytest.mark.parametrize(
    "text",
    [
        "!(rate > 1.0) || dim * (2 + dim) - 1 >= 7",
        "has(metrics.loss) && -rate < 0.0",
        "optimizer in ['A', 'it\\'s'] ? dim : 4",
        "double(dim) / 2.0 > metrics['loss']",
    ],
)
def test_the_spelling_of_a_tree_means_the_same(text):
    """Spelled and compiled again, a tree gives the same value: boundaries rest on it."""
    expression = compile_expression(text, SCOPE)
    again = compile_expression(cel_tree.spell(expression.tree), SCOPE)
    assert again.evaluate(VALUES) == expression.evaluate(VALUES)


def test_a_comprehension_has_no_spelling():
    """What cannot be spelled says so, and is treated as a whole."""
    with pytest.raises(ValueError, match="comprehension"):
        cel_tree.spell(compile_expression("[1].exists(x, x == dim)", SCOPE).tree)


def test_constants_survive_the_serialised_form():
    """Negative numbers, doubles, strings and truths are read back as they were written."""
    tree = compile_expression("dim == -5 || rate == 1.5e-7 || flag == true", SCOPE).tree
    literals = [node.value for node in cel_tree.walk(tree) if isinstance(node, cel_tree.Literal)]
    assert literals == [-5, 1.5e-7, True]


def test_the_syntax_can_be_checked_without_names():
    """A slip is found where nothing is known of the names yet."""
    check_syntax("whatever > 1 && other == 'x'")
    with pytest.raises(ExpressionFault, match="write &&"):
        check_syntax("whatever > 1 and other == 2")
