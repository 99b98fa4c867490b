"""Dialogues from JSON lines, and the tokens that a model learns of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch

from kubetune_trainer.exits import BadConfiguration

IGNORED = -100
"""The label of a token that is no target, as torch's cross-entropy has it."""

_SHOWN_FAULTS = 5

Message: TypeAlias = Mapping[str, str]


class Tokenizer(Protocol):
    """As much as is needed here of a tokenizer of transformers."""

    chat_template: str | None
    eos_token: str | None
    pad_token_id: int | None
    eos_token_id: int | None

    def __call__(self, text: str, *, add_special_tokens: bool) -> Any:
        """Token ids, as `input_ids`."""
        ...

    def apply_chat_template(self, messages: Any, **options: Any) -> Any:
        """The text of a chat."""
        ...


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What was said up to the last answer, and that answer.

    `messages` end before it. A prompt with its completion has no messages, but a `prompt`.
    """

    answer: str
    messages: tuple[Message, ...] = ()
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and which of them are targets: the answers."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def targets(self) -> int:
        """How many tokens are targets; the first one never is, nothing comes before it."""
        return sum(label != IGNORED for label in self.labels[1:])


def read(path: Path) -> list[Dialogue]:
    """The dialogues of a file: an object a line, with `messages` or `prompt` and `completion`.

    Raises:
        BadConfiguration: the file cannot be read, or some of its lines; the first ones are named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path}: {error}") from None
    found: list[Dialogue] = []
    faults: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(_parsed(line))
            except ValueError as error:
                faults.append(f"{path}:{number}: {error}")
    if not found and not faults:
        faults.append(f"{path}: there is nothing in it")
    if faults:
        more = len(faults) - _SHOWN_FAULTS
        rest = [f"and {more} more lines like these"] if more > 0 else []
        raise BadConfiguration("; ".join(faults[:_SHOWN_FAULTS] + rest))
    return found


def question(dialogue: Dialogue, tokenizer: Tokenizer) -> str:
    """The text up to where the answer begins.

    Raises:
        BadConfiguration: it has messages, and the tokenizer no template for them.
    """
    if not dialogue.messages:
        return dialogue.prompt
    if tokenizer.chat_template is None:
        raise BadConfiguration(
            "model: its tokenizer has no chat template; write data of prompt and completion"
        )
    text: str = tokenizer.apply_chat_template(
        list(dialogue.messages), tokenize=False, add_generation_prompt=True
    )
    return text


def encode(dialogue: Dialogue, tokenizer: Tokenizer, max_length: int) -> Encoded:
    """The tokens of a dialogue, cut at `max_length`. Only the last answer's are targets.

    Question and answer are tokenized apart, so that the answer's tokens are those that a model
    is asked to continue the question with.
    """
    asked = question(dialogue, tokenizer)
    before = list(tokenizer(asked, add_special_tokens=not dialogue.messages)["input_ids"])
    if dialogue.messages:
        whole = [*dialogue.messages, {"role": "assistant", "content": dialogue.answer}]
        text: str = tokenizer.apply_chat_template(whole, tokenize=False)
        ending = (
            text.removeprefix(asked) if text.startswith(asked) else _closed(dialogue, tokenizer)
        )
    else:
        ending = _closed(dialogue, tokenizer)
    after = list(tokenizer(ending, add_special_tokens=False)["input_ids"])
    ids = [*before, *after][:max_length]
    labels = [*[IGNORED] * len(before), *after][:max_length]
    return Encoded(tuple(ids), tuple(labels))


def padded(examples: Sequence[Encoded], filler: int) -> dict[str, torch.Tensor]:
    """A batch: `input_ids`, `attention_mask` and `labels`, each of examples x longest."""
    longest = max(len(example.ids) for example in examples)
    shape = len(examples), longest
    ids = torch.full(shape, filler)
    labels = torch.full(shape, IGNORED)
    mask = torch.zeros(shape, dtype=torch.long)
    for row, example in enumerate(examples):
        size = len(example.ids)
        ids[row, :size] = torch.tensor(example.ids)
        labels[row, :size] = torch.tensor(example.labels)
        mask[row, :size] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _closed(dialogue: Dialogue, tokenizer: Tokenizer) -> str:
    return dialogue.answer + (tokenizer.eos_token or "")


def _parsed(line: str) -> Dialogue:
    """One line.

    Raises:
        ValueError: in words for whoever wrote the file.
    """
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise ValueError(f"no JSON: {error}") from None
    if not isinstance(entry, dict):
        raise ValueError(f"an object is needed, not {type(entry).__name__}")  # noqa: TRY004 - the file's fault
    if "messages" in entry:
        return _from_messages(entry["messages"])
    missing = [name for name in ("prompt", "completion") if not isinstance(entry.get(name), str)]
    if missing:
        had = ", ".join(map(str, list(entry)[:8])) or "nothing"
        wanted = " and ".join(missing)
        raise ValueError(f"text in {wanted} is missing (there is {had}); or write messages")
    if not entry["completion"].strip():
        raise ValueError("completion: it is empty, there is nothing to learn")
    return Dialogue(entry["completion"], prompt=entry["prompt"])


def _from_messages(messages: Any) -> Dialogue:
    found = list(_messages(messages))
    if not found or found[-1]["role"] != "assistant":
        raise ValueError("messages: the last one must be of role assistant")
    if len(found) == 1:
        raise ValueError("messages: something must come before the answer")
    if not found[-1]["content"].strip():
        raise ValueError("messages: the answer is empty, there is nothing to learn")
    return Dialogue(found[-1]["content"], messages=tuple(found[:-1]))


def _messages(messages: Any) -> Iterator[Message]:
    if not isinstance(messages, list):
        raise ValueError("messages: a list is needed")  # noqa: TRY004 - the file's fault
    for index, message in enumerate(messages):
        fields = message if isinstance(message, dict) else {}
        role, content = fields.get("role"), fields.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            raise ValueError(f"messages[{index}]: text in role and content is needed")  # noqa: TRY004 - the file's fault
        yield {"role": role, "content": content}
