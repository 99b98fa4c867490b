"""What a finished study leaves for people: best_config.yaml, results.json, REPORT.md."""
