"""A storage URL names its driver, or is refused with what to write."""

import pytest

from kubetune.adapters.optuna import urls


def test_leaves_a_url_with_a_driver() -> None:
    """A URL that says which driver it wants is left as it is."""
    for url in ("sqlite:////data/study.db", "postgresql+asyncpg://db/tuning"):
        assert urls.with_driver(url) == url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_names_the_driver_of_postgresql(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`postgresql://` means psycopg, never whatever the library would choose."""
    monkeypatch.setattr(urls, "find_spec", lambda _: object())
    assert urls.with_driver(f"{scheme}://me@db/tuning") == "postgresql+psycopg://me@db/tuning"


def test_says_which_driver_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing driver is refused with the package to install and without the password."""
    monkeypatch.setattr(urls, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"install kubetune\[postgres\]") as refused:
        urls.with_driver("postgresql://me:secret@db/tuning")
    assert "secret" not in str(refused.value)


def test_refuses_a_path() -> None:
    """A bare path is refused with the URL to write."""
    with pytest.raises(ValueError, match="sqlite:////"):
        urls.with_driver("study.db")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@db:5432/tuning", "postgresql://db:5432/tuning"),
        ("postgresql://me:secret@with@db/tuning", "postgresql://db/tuning"),
        ("postgresql://db/tuning?password=secret", "postgresql://db/tuning"),
        ("postgresql://me:se?cret@db/tuning", "postgresql://..."),
        ("postgresql://db/tuning?password=s@secret", "postgresql://..."),
        ("sqlite:////data/study.db", "sqlite:////data/study.db"),
    ],
)
def test_shows_no_part_of_a_password(url: str, shown: str) -> None:
    """What is logged of a URL holds nothing of user, password and options, however they look."""
    assert urls.without_secrets(url) == shown
