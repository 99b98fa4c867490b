"""Writes an image as `docker save` does: a tar with a list, a configuration and one layer.

containerd imports it. No builder is needed, and the same files give the same image.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65532


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an image, as a program or as plain bytes."""

    target: str
    source: Path | None = None
    content: bytes = b""
    link: str | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """What a container of the image begins with."""

    name: str
    entries: Iterable[Entry]
    entrypoint: Sequence[str]
    environment: Mapping[str, str]


def write(image: Image, path: Path) -> None:
    """Writes the archive; a reader never sees half of it."""
    layer = path.with_suffix(".layer")
    draft = path.with_suffix(".new")
    _write_layer(layer, image.entries)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "User": f"{NOBODY}:{NOBODY}",
                "Entrypoint": list(image.entrypoint),
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
                "WorkingDir": "/tmp",
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(layer)}"]},
        }
    ).encode()
    listed = [{"Config": "config.json", "RepoTags": [image.name], "Layers": ["layer.tar"]}]
    with tarfile.open(draft, "w") as archive:
        archive.add(layer, "layer.tar")
        _add(archive, "config.json", config)
        _add(archive, "manifest.json", json.dumps(listed).encode())
    layer.unlink()
    draft.replace(path)


def _write_layer(path: Path, entries: Iterable[Entry]) -> None:
    with tarfile.open(path, "w") as layer:
        made: set[str] = set()
        for name, mode in (("tmp", 0o1777), ("etc", 0o755), ("dev", 0o755), ("proc", 0o755)):
            _add_folder(layer, name, mode)
            made.add(name)
        for entry in entries:
            target = entry.target.lstrip("/")
            for parent in reversed(list(Path(target).parents)[:-1]):
                if str(parent) not in made:
                    _add_folder(layer, str(parent), 0o755)
                    made.add(str(parent))
            if target not in made:
                _add_entry(layer, target, entry)
                made.add(target)
        user = f"root:x:0:0::/:/bin/sh\ntrial:x:{NOBODY}:{NOBODY}::/tmp:/bin/sh\n"
        _add(layer, "etc/passwd", user.encode())


def _add_entry(layer: tarfile.TarFile, target: str, entry: Entry) -> None:
    if entry.link is not None:
        info = tarfile.TarInfo(target)
        info.type = tarfile.SYMTYPE
        info.linkname = entry.link
        layer.addfile(info)
    elif entry.source is None:
        _add(layer, target, entry.content, entry.mode or 0o644)
    else:
        info = layer.gettarinfo(str(entry.source.resolve()), target)
        info.type = tarfile.REGTYPE  # where files share an inode, tar would write a link
        info.size = entry.source.stat().st_size
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mode = entry.mode or (0o755 if info.mode & 0o100 else 0o644)
        info.mtime = int(info.mtime)  # Python's compiled files name their source's whole seconds
        with entry.source.open("rb") as file:
            layer.addfile(info, file)


def _add_folder(layer: tarfile.TarFile, name: str, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    info.mode = mode
    layer.addfile(info)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = mode
    archive.addfile(info, io.BytesIO(content))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
