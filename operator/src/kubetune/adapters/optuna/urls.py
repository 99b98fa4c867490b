"""Storage URLs: which driver a URL names, and what to write when it names none."""

from importlib.util import find_spec

_DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg", "kubetune[postgres]"),
    "postgres": ("postgresql+psycopg", "psycopg", "kubetune[postgres]"),
    "postgresql+psycopg": ("postgresql+psycopg", "psycopg", "kubetune[postgres]"),
    "mysql": ("mysql+pymysql", "pymysql", "pymysql"),
}


def with_driver(url: str) -> str:
    """The URL with its driver named: `postgresql://` alone leaves the choice to the library.

    Raises:
        ValueError: it is no URL, or the driver is not installed. Never shows a password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(
            "storage is not a URL: write sqlite:////absolute/path.db or postgresql+psycopg://..."
        )
    if scheme not in _DRIVERS:
        return url
    named, module, package = _DRIVERS[scheme]
    if find_spec(module) is None:
        raise ValueError(f"storage {scheme}:// needs {module}: install {package}")
    return f"{named}://{rest}"


def without_secrets(url: str) -> str:
    """What of a URL may be logged: no user, no password, no options.

    A password may hold a question mark, and options an at sign: then nobody can say which it is.
    """
    scheme, _, rest = url.partition("://")
    where, _, options = rest.partition("?")
    if "@" in options:
        return f"{scheme}://..."
    return f"{scheme}://{where.rpartition('@')[2]}"
