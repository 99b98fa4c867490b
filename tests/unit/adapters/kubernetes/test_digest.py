"""Many happenings told as few."""

import pytest

from kubetune.adapters.kubernetes.digest import MESSAGE_LIMIT, Digests, Notice, ranges
from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason
from tests.builders import NOW


def launched(number: int, text: str = "") -> Event:
    message = text or f"trial {number} launched: x=0.{number}"
    return Event(EventReason.TRIAL_LAUNCHED, message, number)


def told(*events: Event) -> list[Notice]:
    digests = Digests()
    digests.add(events, NOW)
    found = []
    while digests:
        found.append(digests.pop())
    return found


def test_a_single_happening_keeps_its_sentence() -> None:
    """What happened alone is told in its own words."""
    assert told(launched(4)) == [
        Notice(
            reason=EventReason.TRIAL_LAUNCHED,
            warning=False,
            message="trial 4 launched: x=0.4",
            count=1,
            first_at=NOW,
            last_at=NOW,
        )
    ]


def test_several_of_one_reason_become_one_that_names_the_trials() -> None:
    """Which trials comes first, then their sentences."""
    (notice,) = told(*(launched(number) for number in (4, 5, 6, 9)))
    assert notice.message == (
        "4 trials launched: 4-6, 9. trial 4 launched: x=0.4; trial 5 launched: x=0.5; "
        "trial 6 launched: x=0.6; trial 9 launched: x=0.9"
    )
    assert notice.count == 1


@pytest.mark.parametrize(
    ("reason", "head"),
    [
        (EventReason.TRIAL_LAUNCHED, "2 trials launched: 4, 7. "),
        (EventReason.TRIAL_COMPLETED, "2 trials completed: 4, 7. "),
        (EventReason.TRIAL_PRUNED, "2 trials pruned: 4, 7. "),
        (EventReason.TRIAL_FAILED, "2 trials failed: 4, 7. "),
        (EventReason.TRIAL_INFEASIBLE, "2 trials infeasible: 4, 7. "),
        (EventReason.TRIAL_RETRIED, "2 trials tried again: 4, 7. "),
        (EventReason.TRIAL_STOPPED, "2 trials stopped: 4, 7. "),
        (EventReason.DRAW_REJECTED, "draws turned down before 2 trials: 4, 7. "),
    ],
)
def test_every_reason_of_trials_has_a_head_that_reads_as_a_sentence(
    reason: EventReason, head: str
) -> None:
    """No reason of a trial is told without its verb."""
    (notice,) = told(Event(reason, "a", 4), Event(reason, "b", 7))
    assert notice.message == head + "a; b"


def test_the_same_words_again_are_counted() -> None:
    """A sentence that is repeated is told once, with how often."""
    digests = Digests()
    word = Event(EventReason.STUDY_SUSPENDED, "Suspended: by its user")
    digests.add([word], NOW)
    digests.add([word], NOW + 5)
    notice = digests.pop()
    assert (notice.message, notice.count) == (word.message, 2)
    assert (notice.first_at, notice.last_at) == (NOW, NOW + 5)


def test_of_many_sentences_the_first_are_told() -> None:
    """As many as a person reads in a list; none is cut in its midst."""
    (notice,) = told(*(launched(n, f"trial {n} launched: {'ä' * 50}") for n in range(64)))
    assert notice.message.startswith("64 trials launched: 0-63. trial 0 launched: ä")
    assert notice.message.endswith("ä ...")
    assert notice.message.count(";") == 3
    assert len(notice.message.encode()) <= 512


def test_one_endless_sentence_is_cut() -> None:
    """A sentence that alone is too long ends in dots, on a whole character."""
    (notice,) = told(launched(1, "ä" * 2000))
    assert len(notice.message.encode()) <= MESSAGE_LIMIT
    assert notice.message.endswith("ä ...")


def test_many_endless_sentences_still_name_their_trials() -> None:
    """The head never gives way to a long sentence."""
    (notice,) = told(launched(1, "a" * 2000), launched(2, "b" * 2000))
    assert notice.message.startswith("2 trials launched: 1-2. aaa")
    assert len(notice.message.encode()) <= MESSAGE_LIMIT


def test_what_trials_said_cannot_write_to_a_terminal() -> None:
    """Control characters become blanks: a trial's last words stand in a sentence."""
    (notice,) = told(launched(1, "bad\x1b[31m\n\r\0word\u202e"))
    assert notice.message == "bad [31m   word "


def test_a_digest_does_not_grow() -> None:
    """What gathers during an outage is numbers and a few sentences, however much happened."""
    digests = Digests()
    for number in range(10_000):
        digests.add([launched(number)], NOW)
    (digest,) = digests
    assert len(digest.sentences) <= 16
    assert digests.pop().message.startswith("10000 trials launched: 0-9999. ")


def test_warnings_are_told_first_and_apart() -> None:
    """Of what waits the warnings come first; a reason's warnings never hide among its others."""
    plain = Event(EventReason.DRAW_REJECTED, "2 draws turned down", 1)
    alarm = Event(EventReason.DRAW_REJECTED, "no draw is left", warning=True)
    notices = told(launched(1), plain, alarm)
    assert [(notice.message, notice.warning) for notice in notices] == [
        ("no draw is left", True),
        ("trial 1 launched: x=0.1", False),
        ("2 draws turned down", False),
    ]


def test_merged_digests_are_as_if_gathered_in_one() -> None:
    """What happened later joins what was not told yet."""
    first, later, both = Digests(), Digests(), Digests()
    first.add([launched(1)], NOW)
    later.add([launched(2), Event(EventReason.TRIAL_PRUNED, "trial 1 Pruned", 1)], NOW + 1)
    both.add([launched(1)], NOW)
    both.add([launched(2), Event(EventReason.TRIAL_PRUNED, "trial 1 Pruned", 1)], NOW + 1)
    first.merge(later)
    assert [first.pop(), first.pop()] == [both.pop(), both.pop()]
    assert not first


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([7], "7"),
        ([3, 1, 2], "1-3"),
        ([1, 2, 5, 9, 10], "1-2, 5, 9-10"),
        (range(0, 40, 2), "0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22 and 8 more"),
    ],
)
def test_numbers_are_written_as_people_do(numbers: list[int], text: str) -> None:
    """Neighbours become a range; very many ranges are only counted."""
    assert ranges(numbers) == text
