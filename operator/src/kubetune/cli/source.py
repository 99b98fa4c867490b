"""SOURCE on the command line: the stored trials of a study, wherever they lie."""

from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from kubetune.adapters.optuna import history
from kubetune.cli import cluster, manifests
from kubetune.cli.cluster import PREFIX, Access
from kubetune.cli.folder import DATABASE, storage_url, trials_asked
from kubetune.cli.output import fail, say
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Trial
from kubetune.report import unwritten

MANIFEST = "study.yaml"

LISTED = 20
"""So many studies are named where one is to be chosen."""

_PARTS = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A study as far as it is known there: all of its manifest, or only what the database says.

    `namespace` and `status` are those of a study of a cluster.
    """

    spec: StudySpec
    trials: tuple[Trial, ...]
    status: StudyStatus | None = None
    namespace: str = ""


def load(
    source: str,
    study: str | None,
    namespace: str | None,
    *,
    with_manifest: bool = True,
    access: Access = Access(),  # noqa: B008 - frozen
) -> Source:
    """Reads the trials of a run's folder, a storage URL or a study of a cluster, at any time.

    Without `with_manifest` the manifest in a run's folder is left unread. Ends the program with
    one line when there is no such study, or more than one that could be meant.
    """
    folder = Path(source)
    if source.startswith(PREFIX) and not folder.is_dir():
        return _of_cluster(source, namespace, access)
    if namespace is not None or access != Access():
        fail(f"{source}: -n, --context, --kubeconfig and --storage are for {PREFIX}NAME")
    if "://" in source:
        url, _, name = source.partition("#")
        return _read(_checked(url), study or name or None, shown=_without_password(url))
    if not folder.exists():
        fail(
            f"{folder}: no such folder; give a run's folder, a storage URL such as"
            f" sqlite:///FILE, or {PREFIX}NAME for a study of a cluster"
        )
    if not folder.is_dir():
        fail(f"{folder} is a file; give the run's folder, or sqlite:///{folder}")
    if not (folder / DATABASE).is_file():
        fail(f"{folder}: no study in it, {DATABASE} is missing; give the folder of a run")
    found = _read(storage_url(folder), study, shown=source)
    spec = _manifest(folder / MANIFEST, found) if with_manifest else None
    return Source(spec, found.trials) if spec else found


def _of_cluster(source: str, namespace: str | None, access: Access) -> Source:
    found = cluster.find(source, namespace, access)
    if access.storage:
        url = _checked(access.storage)
        there = _read(url, found.stored_name, shown=_without_password(url))
        trials, told = there.trials, there.spec
    else:
        read = cluster.stored(found)
        trials, told = read.trials, unwritten(read.name, read.objectives, read.trials)
    spec = found.spec
    if spec is None or _objectives(spec) != _objectives(told):
        say(f"the manifest of {found.resource} does not fit its trials: shown is what they say")
        spec = told
    return Source(spec, trials, found.status, found.resource.namespace)


def _objectives(spec: StudySpec) -> list[tuple[str, Direction]]:
    return [(item.metric, item.direction) for item in spec.objectives]


def _read(url: str, study: str | None, *, shown: str) -> Source:
    try:
        name = _chosen(history.study_names(url), study, shown)
        stored = history.read_history(url, name)
    except KeyError:
        fail(f"{shown}: study '{study}' is gone from it")
    except (StorageUnreachable, SQLAlchemyError, ValueError) as error:
        reason = str(getattr(error, "orig", None) or error)
        fail(f"{shown} cannot be read: {reason.splitlines()[0]}")
    spec = unwritten(name, stored.objectives, stored.trials, stored.parameters)
    return Source(spec, stored.trials)


def _chosen(names: tuple[str, ...], study: str | None, shown: str) -> str:
    """The study that is meant; an operator's may be called NAME or NAMESPACE/NAME for short."""
    if not names:
        fail(f"{shown}: no study in it")
    if study in names:
        return study
    meant = tuple(name for name in names if study is None or study in _short(name))
    if not meant:
        fail(f"{shown}: no study '{study}' in it; it holds {_list(names)}")
    if len(meant) > 1:
        called = "studies" if study is None else f"studies '{study}'"
        fail(f"{shown} holds {len(meant)} {called}: {_list(meant)}; choose one with --study")
    return meant[0]


def _short(name: str) -> tuple[str, ...]:
    """What NAMESPACE/NAME/UID is called for short."""
    parts = name.split("/")
    return (parts[1], f"{parts[0]}/{parts[1]}") if len(parts) == _PARTS else ()


def _list(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _checked(url: str) -> str:
    """The URL; ends the program when it names a SQLite file that is not there."""
    if not url.startswith("sqlite"):
        return url
    try:
        file = make_url(url).database
    except (SQLAlchemyError, ValueError):
        fail(f"{url} is not a storage URL; write sqlite:///FILE")
    if not file or not Path(file).is_file():
        fail(f"{url}: no such file; write sqlite:///relative.db or sqlite:////absolute.db")
    return url


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (SQLAlchemyError, ValueError):
        return "the storage URL"


def _manifest(file: Path, found: Source) -> StudySpec | None:
    """The manifest that a run kept; None, with a word, when it does not fit the trials."""
    if not file.is_file():
        say(f"{file} is missing: shown is what the database says")
        return None
    checked = manifests.check(file)
    spec = checked.admission.spec if checked.admission else None
    if spec is None:
        say(f"{file} is not valid: shown is what the database says")
        return None
    if spec.name != found.spec.name or _objectives(spec) != _objectives(found.spec):
        say(f"{file} is of another study: shown is what the database says")
        return None
    asked = trials_asked(file.parent)
    return replace(spec, trials=replace(spec.trials, max=asked or spec.trials.max))
