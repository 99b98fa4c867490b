"""Trials in an Optuna database, and draws by Optuna's samplers."""
