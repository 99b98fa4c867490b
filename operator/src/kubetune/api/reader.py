"""Reads a manifest: YAML 1.2, in which `6e-5` is a number, and JSON, which is a part of it."""

from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import Node, ScalarNode

from kubetune.api.manifest import Manifest, Unreadable, build

SIZE_LIMIT = 262_144
"""The largest manifest, in bytes."""


def read(path: Path | str) -> Manifest:
    """Reads the one TuningStudy of a file.

    Raises:
        Unreadable: no such file, not YAML, a duplicate key, a second document ..., each fault
            with its line.
    """
    return parse(_text(path))


def read_all(path: Path | str) -> tuple[Manifest, ...]:
    """Reads every document of a file, whatever it is; the lines are those of the file.

    Raises:
        Unreadable: as `read`, but for several documents and none.
    """
    return parse_all(_text(path))


def _text(path: Path | str) -> str:
    file = Path(path)
    try:
        with file.open("rb") as stream:
            content = stream.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise Unreadable(
            [(1, f"cannot be read: {(error.strerror or str(error)).lower()}")]
        ) from None
    if len(content) > SIZE_LIMIT:
        raise Unreadable([(1, f"larger than {SIZE_LIMIT} bytes")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Unreadable([(line, "not UTF-8 text")]) from None


def parse(text: str) -> Manifest:
    """Reads the one TuningStudy of a text.

    Raises:
        Unreadable: as `read`.
    """
    documents = _documents(text)
    if not documents:
        raise Unreadable([(1, "empty: write a TuningStudy")])
    if len(documents) > 1:
        message = "a second document: write one TuningStudy a file"
        raise Unreadable([(node.start_mark.line + 1, message) for node in documents[1:]])
    return build(documents[0])


def parse_all(text: str) -> tuple[Manifest, ...]:
    """Reads every document of a text.

    Raises:
        Unreadable: as `read_all`; the faults of all documents together.
    """
    manifests, faults = [], list[tuple[int, str]]()
    for node in _documents(text):
        try:
            manifests.append(build(node))
        except Unreadable as error:
            faults += error.faults
    if faults:
        raise Unreadable(faults)
    return tuple(manifests)


def _documents(text: str) -> list[Node]:
    if text.lstrip()[:1] == "{":
        text = text.replace("\t", " ")  # JSON may be indented with tabs; inside strings it has none
    return [node for node in _compose(text) if not _empty(node)]


def _compose(text: str) -> list[Node]:
    try:
        return list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise Unreadable([(line, _plain(error))]) from None
    except YAMLError as error:
        raise Unreadable([(1, f"not YAML: {str(error).splitlines()[0]}")]) from None
    except RecursionError:
        raise Unreadable([(1, "nested too deep")]) from None


def _plain(error: MarkedYAMLError) -> str:
    problem = str(error.problem or error.context or "not YAML")
    if "'\\t'" in problem:
        return "a tab: indent with spaces"
    context = f" {error.context}" if error.context and error.context != problem else ""
    begun, ended = error.context_mark, error.problem_mark
    if context and begun and ended and begun.line != ended.line:
        context += f" begun on line {begun.line + 1}"
    return f"not YAML: {problem}{context}"


def _empty(node: Node) -> bool:
    return node is None or (isinstance(node, ScalarNode) and not node.value and not node.style)
