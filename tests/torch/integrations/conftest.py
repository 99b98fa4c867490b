"""Lightning is no dependency of ours: its callback is tested where somebody has installed it."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("lightning") else ["test_lightning.py"]
