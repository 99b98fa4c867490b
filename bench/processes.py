"""The environment of measured processes: Python may keep its bytecode, as it does for users."""

import os


def environment() -> dict[str, str]:
    """This process's environment without the switch that has every import compiled anew."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
