"""Words that explain themselves: what they mean, and what to do when one is seen."""

from enum import StrEnum
from typing import Self


class Word(StrEnum):
    """A string with its explanation; the reference is made of both.

    `means` and `todo` are sentences without the full stop, `todo` is empty where nothing is to do.
    """

    _value_: str
    means: str
    todo: str

    def __new__(cls, value: str, means: str = "", todo: str = "") -> Self:
        """Declared as `NAME = "Name", "what it means", "what to do"`."""
        word = str.__new__(cls, value)
        word._value_ = value
        word.means = means
        word.todo = todo
        return word
