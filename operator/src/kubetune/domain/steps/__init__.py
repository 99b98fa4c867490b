"""The steps of a plan: each takes a draft and gives the next, in the order of `planner`."""
