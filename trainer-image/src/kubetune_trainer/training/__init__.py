"""What recipes on torch share: optimizers, schedules, the loop, its state. Needs the extra `torch`.

Nothing in here knows a recipe, and nothing outside of it and the recipes imports torch.
"""
