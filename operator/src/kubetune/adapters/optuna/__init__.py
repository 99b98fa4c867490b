"""Trials in an Optuna database, and draws by Optuna's samplers.

The database is storage: it has Optuna's schema, so that Optuna's tools read it, and holds every
trial for ever. Draws come from a copy of the trials in memory whose axes never change, so that a
draw costs no query and is a function of seed, trial number and history alone.

    store      the port: one study's trials
    database   one engine and one thread for each URL; tables, rows: what is written and read
    records    a trial as JSON attributes, and back
    drawing    the next trial of a study, by model (mirror, samplers) or by enumeration
    history    trials of a study without its manifest
"""
