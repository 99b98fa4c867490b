"""Grafana dashboards, authored with Grafana's own SDK: fleet, one study, one trial.

A build tool: `python -m dashboards FOLDER` writes the JSON that the chart carries. Nothing of the
product imports it.
"""
