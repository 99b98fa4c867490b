"""Failure marks: what a trial's curves show of how it trained, whatever its recipe says.

    mark           the four marks, and one of them with the figures behind it
    limits         every constant, with its source
    series         one metric of a trial, its noise and its level
    diverged, exploded, overfitting, slow   one mark a file: a pure function of a trial
    peers          the finished trials that a slow one is compared with
    marking        all marks of all trials

Nothing is stored: marks are worked out anew from the stored curves whenever somebody asks, so a
better rule also holds for trials of long ago. A mark ends no trial; guards and pruners do that.
"""

from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.marks.marking import Marks, mark

__all__ = ["Mark", "Marked", "Marks", "mark"]
