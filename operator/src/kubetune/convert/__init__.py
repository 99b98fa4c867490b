"""From a Katib Experiment to a TuningStudy: what has a counterpart, and what has none."""
