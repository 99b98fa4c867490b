{{- define "kubetune.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "kubetune.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "kubetune.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 53 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of objects without a namespace: two releases of one name in two namespaces do not meet. */}}
{{- define "kubetune.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "kubetune.fullname" .) -}}
{{- end -}}

{{- define "kubetune.selector" -}}
app.kubernetes.io/name: {{ include "kubetune.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "kubetune.labels" -}}
{{ include "kubetune.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kubetune.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ default .tag .image.tag }}
{{- end -}}
{{- end -}}

{{- define "kubetune.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "kubetune.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "kubetune.claim" -}}
{{- default (include "kubetune.fullname" .) .Values.storage.sqlite.existingClaim -}}
{{- end -}}

{{/* Whether an object of the Prometheus operator is made: "yes" or nothing. */}}
{{- define "kubetune.monitored" -}}
{{- $enabled := .enabled | toString -}}
{{- if or (eq $enabled "true") (and (eq $enabled "auto") (.root.Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" .kind))) -}}
yes
{{- end -}}
{{- end -}}

{{/* What no schema can say of the values. */}}
{{- define "kubetune.check" -}}
{{- if and (eq .Values.rbac.scope "Namespaced") (not .Values.rbac.namespaces) -}}
{{- fail "rbac.scope is Namespaced, and rbac.namespaces is empty: name the namespaces that are to have studies" -}}
{{- end -}}
{{- if and (eq .Values.rbac.scope "Cluster") .Values.rbac.namespaces -}}
{{- fail "rbac.namespaces is for rbac.scope=Namespaced; with Cluster studies of every namespace are watched" -}}
{{- end -}}
{{- if has .Release.Namespace .Values.rbac.namespaces -}}
{{- fail (printf "rbac.namespaces names %s, the operator's own namespace: no study may be there" .Release.Namespace) -}}
{{- end -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- if not .Values.leaderElection.enabled -}}
{{- fail (printf "replicas is %v without leaderElection.enabled: only one operator may tune at a time" .Values.replicas) -}}
{{- end -}}
{{- if not .Values.storage.existingSecret.name -}}
{{- fail (printf "replicas is %v with SQLite, which one pod alone can open: name a PostgreSQL in storage.existingSecret" .Values.replicas) -}}
{{- end -}}
{{- end -}}
{{- $auth := .Values.prometheus.auth -}}
{{- if and $auth.existingSecret (not $auth.tokenKey) (not (and $auth.usernameKey $auth.passwordKey)) -}}
{{- fail "prometheus.auth.existingSecret needs tokenKey, or usernameKey and passwordKey: say which keys it has" -}}
{{- end -}}
{{- if and (or $auth.tokenKey $auth.usernameKey $auth.passwordKey) (not $auth.existingSecret) -}}
{{- fail "prometheus.auth names a key without existingSecret: name the secret that has it" -}}
{{- end -}}
{{- if and .Values.optunaDashboard.enabled (not .Values.optunaDashboard.existingSecret.name) -}}
{{- fail "optunaDashboard.enabled needs optunaDashboard.existingSecret.name, the secret with a PostgreSQL's URL: SQLite is open to the operator alone" -}}
{{- end -}}
{{- end -}}
