"""The files of the trainer image: this machine's Python and the trainer with its libraries."""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from tests.cluster.archive import Entry

TRAINER = Path(__file__).parents[2] / "trainer-image" / "src"
_PYTHON = "/opt/python"
_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LIBRARY = f"{_PYTHON}/lib/{_VERSION}"
_LEFT_OUT = re.compile(
    r"(^|/)(tests?|site-packages|dist-packages|idlelib|lib2to3|tkinter|turtledemo|ensurepip)(/|$)"
    r"|/config-\d|\.pyi$|\.a$|\.pyx$|\.pxd$|\.h$"
)
_OF_WHEELS = ("libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1")
"""What a wheel may ask of every Linux, beside what ours ask for: torch, mounted, does."""
_START = f"""#!{_PYTHON}/bin/python3
import sys
from kubetune_trainer.main import main
sys.exit(main())
"""


def distributions() -> dict[str, Distribution]:
    """What `kubetune-trainer[digits]` needs, as installed here from the lock file."""
    found: dict[str, Distribution] = {}
    asked = [
        _name(line)
        for line in distribution("kubetune-trainer").requires or ()
        if ";" not in line or "'digits'" in line
    ]
    while asked:
        name = asked.pop()
        if name in found:
            continue
        found[name] = distribution(name)
        needed = found[name].requires or ()
        asked += [_name(line) for line in needed if ";" not in line]
    return found


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def entries() -> list[Entry]:
    """Every file, the shared libraries that they ask for included."""
    files = [*_interpreter(), *_libraries(), *_trainer()]
    return [*files, *_shared(files)]


def environment() -> dict[str, str]:
    """What lets the moved Python find its own."""
    return {
        "PATH": f"{_PYTHON}/bin:/usr/local/bin:/bin",
        "LD_LIBRARY_PATH": f"{_PYTHON}/lib",
        "PYTHONUNBUFFERED": "1",
        "HOME": "/tmp",
    }


def _interpreter() -> Iterator[Entry]:
    yield Entry(f"{_PYTHON}/bin/{_VERSION}", _base() / "bin" / _VERSION, mode=0o755)
    yield Entry(f"{_PYTHON}/bin/python3", link=_VERSION)
    yield Entry(f"{_PYTHON}/bin/python", link=_VERSION)
    yield from _tree(Path(sysconfig.get_path("stdlib")), _LIBRARY)


def _base() -> Path:
    """Where Python itself is, not the virtual environment."""
    return Path(sys.base_exec_prefix)


def _libraries() -> Iterator[Entry]:
    for found in distributions().values():
        for file in found.files or ():
            source = Path(str(found.locate_file(file)))
            name = str(file)
            if not name.startswith("..") and not _LEFT_OUT.search(name) and source.is_file():
                yield Entry(f"{_LIBRARY}/site-packages/{name}", source)


def _trainer() -> Iterator[Entry]:
    yield from _tree(TRAINER, f"{_LIBRARY}/site-packages")
    yield Entry("/usr/local/bin/kubetune-trainer", content=_START.encode(), mode=0o755)


def _tree(folder: Path, target: str) -> Iterator[Entry]:
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not _LEFT_OUT.search(name):
            yield Entry(f"{target}/{name}", path)


def _shared(files: list[Entry]) -> Iterator[Entry]:
    """What the loader says that these files need and that is not among them."""
    asked = [
        str(file.source)
        for file in files
        if file.source and (".so" in file.source.name or file.target.endswith(f"bin/{_VERSION}"))
    ]
    have = {file.source.resolve() for file in files if file.source}
    said = subprocess.run(["ldd", *asked], capture_output=True, text=True, check=False).stdout
    found = {Path(match) for match in re.findall(r"(/\S+\.so[\S]*) \(0x", said)}
    system = next(path.parent for path in found if path.name == "libc.so.6")
    found |= {system / name for name in _OF_WHEELS if (system / name).exists()}
    for path in sorted(found):
        if path.resolve() in have:
            continue
        if path.name.startswith("ld-"):
            yield Entry(str(path), path, mode=0o755)
        else:
            yield Entry(f"{_PYTHON}/lib/{path.name}", path)
