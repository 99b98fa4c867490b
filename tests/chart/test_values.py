"""What the chart takes and what it refuses: `helm lint`, the schema, and what no schema can say."""

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.chart import settings
from tests.cluster.helm import CHART, HelmFailed, helm, rendered

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("values", settings.ALL.values(), ids=settings.ALL)
def test_the_chart_is_clean(values: dict[str, Any]) -> None:
    """`helm lint --strict` has nothing to say, whatever is set."""
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *given)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"imge.tag": "1"}, "additional properties 'imge' not allowed"),
        ({"storage.postgres": {}}, "at '/storage': additional properties 'postgres' not allowed"),
        ({"replicas": "two"}, "at '/replicas': got string, want integer"),
        ({"prometheus.url": "prometheus:9090"}, "at '/prometheus/url'"),
        ({"prometheus.url": "http://me:secret@prometheus"}, "at '/prometheus/url'"),
        ({"image.digest": "sha256:12"}, "at '/image/digest'"),
        ({"rbac.scope": "namespaced"}, "at '/rbac/scope'"),
        ({"rbac.namespaces": ["Team A"]}, "at '/rbac/namespaces/0'"),
        ({"monitoring.podMonitor.enabled": "yes"}, "at '/monitoring/podMonitor/enabled'"),
        ({"terminationGracePeriodSeconds": 5}, "minimum: got 5, want 30"),
        ({"rbac.scope": "Namespaced"}, "rbac.namespaces is empty: name the namespaces"),
        ({"rbac.namespaces": ["a"]}, "rbac.namespaces is for rbac.scope=Namespaced"),
        (
            {"rbac.scope": "Namespaced", "rbac.namespaces": ["kubetune-system"]},
            "the operator's own namespace: no study may be there",
        ),
        ({"replicas": 2}, "replicas is 2 without leaderElection.enabled"),
        ({"replicas": 2, "leaderElection.enabled": True}, "replicas is 2 with SQLite"),
        ({"prometheus.auth.existingSecret": "x"}, "needs tokenKey, or usernameKey and passwordKey"),
        ({"prometheus.auth.tokenKey": "x"}, "names a key without existingSecret"),
        ({"optunaDashboard.enabled": True}, "needs optunaDashboard.existingSecret.name"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], words: str) -> None:
    """Before anything is installed, with the value's name and what to write."""
    with pytest.raises(HelmFailed, match=re.escape(words)):
        rendered(values)


def test_all_faults_of_the_schema_are_said_at_once() -> None:
    """Nobody has to try again for each."""
    with pytest.raises(HelmFailed) as refused:
        rendered({"replicas": "two", "imge.tag": "1", "image.digest": "12"})
    for words in ("/replicas", "imge", "/image/digest"):
        assert words in str(refused.value)


def test_the_schema_knows_every_value_and_no_other() -> None:
    """What stands in values.yaml is what may be set: a new value is forgotten in neither."""

    def names(schema: dict[str, Any], values: dict[str, Any], path: str) -> None:
        if not schema.get("properties"):
            return
        known = set(schema["properties"]) - ({"global"} if not path else set())
        optional = {"claims"} if path.endswith("resources.") else set()
        assert known - optional - {"limits", "requests"} == set(values) - {"limits", "requests"}, (
            path
        )
        for name, value in values.items():
            if isinstance(value, dict):
                names(schema["properties"][name], value, f"{path}{name}.")

    schema = json.loads((CHART / "values.schema.json").read_text())
    names(schema, YAML(typ="safe").load((CHART / "values.yaml").read_text()), "")
