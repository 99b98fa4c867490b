"""The section that shows the plots, and names those that are left out."""

from kubetune.report.markdown import code
from kubetune.report.plots.picture import FOLDER, Album


def plotted(album: Album) -> str:
    """Every picture with its page, then what is left out and why."""
    if album.missing:
        packages = " and ".join(album.missing)
        return (
            f"There are none: {packages} {'is' if len(album.missing) == 1 else 'are'} not"
            " installed. Install `kubetune[report]`, then write the report again with"
            " `kubetune report`."
        )
    shown = [picture for picture in album.pictures if picture.png]
    absent = [picture for picture in album.pictures if not picture.png]
    parts = []
    for picture in shown:
        page = f" ([to zoom into]({FOLDER}/{picture.name}.html))" if picture.page else ""
        parts.append(
            f"### {picture.title}{page}\n\n![{picture.title}]({FOLDER}/{picture.name}.png)"
        )
    if absent:
        lines = (f"- {picture.title}: {_why(picture.why)}." for picture in absent)
        parts.append("\n".join(["Left out:\n", *lines]))
    return "\n\n".join(parts)


def _why(text: str) -> str:
    """A reason; what an error says is foreign text."""
    head, separator, words = text.partition(": ")
    return f"{head}: {code(words)}" if separator else text
