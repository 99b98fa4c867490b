"""The how-to's scripts, run as studies by the command that it gives."""

import os
import subprocess
import sys
from pathlib import Path

from tests.integration.test_docs import HOW_TO, block


def tuned(folder: Path, script: str, **instead: str) -> str:
    """What `kubetune run` says of a script of the how-to in its manifest for frameworks.

    `instead` replaces texts of the manifest by those of this test.
    """
    (folder / script).write_text(block(HOW_TO, f"python {script}"))
    manifest = block(HOW_TO, "yaml hf.yaml")
    for old, new in {"hf.py": script, **instead}.items():
        assert old in manifest
        manifest = manifest.replace(old, new)
    (folder / "study.yaml").write_text(manifest)
    done = subprocess.run(
        [sys.executable, "-m", "kubetune", "run", "study.yaml", "-o", "out"],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
