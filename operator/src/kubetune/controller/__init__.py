"""The operator: Kopf handlers, settings, probes."""
