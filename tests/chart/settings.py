"""Ways in which the chart is installed, each a set of values."""

from typing import Any

POSTGRES: dict[str, Any] = {"storage.existingSecret.name": "database"}

STANDBY: dict[str, Any] = {**POSTGRES, "replicas": 2, "leaderElection.enabled": True}

TEAMS = ["tuners-a", "tuners-b"]

NAMESPACED: dict[str, Any] = {"rbac.scope": "Namespaced", "rbac.namespaces": TEAMS}

MONITORED: dict[str, Any] = {
    "monitoring.podMonitor.enabled": True,
    "monitoring.serviceMonitor.enabled": True,
    "monitoring.prometheusRule.enabled": True,
    "monitoring.prometheusRule.labels": {"release": "prometheus"},
}

EVERYTHING: dict[str, Any] = {
    **STANDBY,
    **MONITORED,
    "commonLabels": {"team": "platform"},
    "image.digest": f"sha256:{'0' * 64}",
    "imagePullSecrets": [{"name": "registry"}],
    "operator.verbose": True,
    "operator.extraEnv": [{"name": "TZ", "value": "UTC"}],
    "prometheus.url": "https://prometheus.monitoring:9090",
    "prometheus.auth.existingSecret": "prometheus",
    "prometheus.auth.usernameKey": "user",
    "prometheus.auth.passwordKey": "password",
    "prometheus.ca.configMap": "authority",
    "podLabels": {"a": "b"},
    "podAnnotations": {"c": "d"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "x", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "system-cluster-critical",
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app.kubernetes.io/name": "kubetune"}},
        }
    ],
    "networkPolicy.enabled": True,
    "networkPolicy.from": [{"namespaceSelector": {}}],
    "networkPolicy.egress.enabled": True,
    "optunaDashboard.enabled": True,
    "optunaDashboard.existingSecret.name": "database",
    "serviceAccount.annotations": {"e": "f"},
    "monitoring.dashboards.annotations": {"grafana_folder": "kubetune"},
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}},
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-text'}",
    ],
}

ALL = {
    "as it stands": {},
    "for some namespaces": NAMESPACED,
    "with PostgreSQL": POSTGRES,
    "with a standby": STANDBY,
    "with Prometheus' operator": MONITORED,
    "with everything": EVERYTHING,
    "without anything that can be left out": {
        "crds.enabled": False,
        "rbac.create": False,
        "serviceAccount.create": False,
        "serviceAccount.name": "there",
        "storage.sqlite.existingClaim": "there",
        "monitoring.dashboards.enabled": False,
        "admissionPolicy.enabled": False,
        "uninstall.suspendStudies": False,
    },
}
