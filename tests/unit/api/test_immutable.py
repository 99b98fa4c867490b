"""What may not change after the first trial."""

from kubetune.adapters.optuna import description
from kubetune.api import admission, immutable
from tests.unit.api.test_convert import study


def test_the_server_and_the_database_refuse_the_same_fields():
    """An edit that the server takes must not make the operator refuse the study."""
    spec = admission.check(study()).spec
    assert spec is not None
    stored = set(description.describe(spec)) - {"schema"}
    assert {rule["fieldPath"].removeprefix(".spec.") for rule in immutable.rules()} == stored


def test_a_refused_edit_is_told_what_to_do_instead():
    """Each message names its field and a way out."""
    for rule in immutable.rules():
        assert rule["message"].startswith(rule["fieldPath"].removeprefix(".spec."))
        assert "make a new study" in rule["message"]
