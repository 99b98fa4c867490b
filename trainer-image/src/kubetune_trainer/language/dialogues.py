"""Dialogues from JSON lines, and the tokens that a model learns of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from jinja2.exceptions import TemplateError

from kubetune_trainer.exits import BadConfiguration

IGNORED = -100
"""The label of a token that is no target, as torch's cross-entropy has it."""

ROLES = ("system", "developer", "user", "assistant", "tool")

_SHOWN_FAULTS = 5

Message: TypeAlias = Mapping[str, str]


class Tokenizer(Protocol):
    """As much as is needed here of a tokenizer of transformers."""

    chat_template: str | None
    eos_token: str | None
    bos_token_id: int | None
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

    `messages` end before it. A prompt with its completion has no messages, but a `prompt`. `line`
    is where it was read, as `file:line`.
    """

    answer: str
    messages: tuple[Message, ...] = ()
    prompt: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids, and which of them are targets: the answers."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def targets(self) -> int:
        """How many tokens are targets; the first one never is, nothing comes before it."""
        return sum(label != IGNORED for label in self.labels[1:])

    @property
    def question(self) -> tuple[int, ...]:
        """The tokens before the answer."""
        size = next((at for at, label in enumerate(self.labels) if label != IGNORED), len(self.ids))
        return self.ids[:size]


def read(path: Path) -> list[Dialogue]:
    """The dialogues of a file: an object a line, with `messages` or `prompt` and `completion`.

    Raises:
        BadConfiguration: the file cannot be read, or some of its lines; the first ones are named.
    """
    found: list[Dialogue] = []
    faults: list[str] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                found.append(replace(_parsed(line), line=f"{path}:{number}"))
            except ValueError as error:
                faults.append(f"{path}:{number}: {error}")
    if not found and not faults:
        faults.append(f"{path}: there is nothing in it")
    _refuse(faults)
    return found


def encode_all(given: Iterable[Dialogue], tokenizer: Tokenizer, max_length: int) -> list[Encoded]:
    """The tokens of each.

    Raises:
        BadConfiguration: some of them do not fit the model's template; the first ones are named.
    """
    found: list[Encoded] = []
    faults: list[str] = []
    for dialogue in given:
        try:
            found.append(encode(dialogue, tokenizer, max_length))
        except TemplateError as error:
            faults.append(f"{dialogue.line}: the model's chat template refuses it: {error}")
    _refuse(faults)
    return found


def encode(dialogue: Dialogue, tokenizer: Tokenizer, max_length: int) -> Encoded:
    """The tokens of a dialogue, cut at `max_length`. Only the last answer's are targets.

    Question and answer are tokenized apart, so that the answer's tokens are those that a model
    is asked to continue the question with.

    Raises:
        BadConfiguration: it has messages, and the tokenizer no template for them.
        TemplateError: the template does not take these messages.
    """
    asked, ending = _texts(dialogue, tokenizer)
    before = list(tokenizer(asked, add_special_tokens=not dialogue.messages)["input_ids"])
    if len(before) > 1 and before[-1] == tokenizer.eos_token_id and not dialogue.messages:
        before.pop()  # some tokenizers end every text
    first = (tokenizer.bos_token_id, tokenizer.eos_token_id, 0)
    before = before or [next(token for token in first if token is not None)]
    after = list(tokenizer(ending, add_special_tokens=False)["input_ids"])
    ids = [*before, *after][:max_length]
    labels = [*[IGNORED] * len(before), *after][:max_length]
    return Encoded(tuple(ids), tuple(labels))


def _texts(dialogue: Dialogue, tokenizer: Tokenizer) -> tuple[str, str]:
    """The text up to where the answer begins, and from there to its end."""
    closed = dialogue.answer + (tokenizer.eos_token or "")
    if not dialogue.messages:
        return dialogue.prompt, closed
    if tokenizer.chat_template is None:
        raise BadConfiguration(
            "model: its tokenizer has no chat template; write data of prompt and completion"
        )
    asked: str = tokenizer.apply_chat_template(
        list(dialogue.messages), tokenize=False, add_generation_prompt=True
    )
    whole = [*dialogue.messages, {"role": "assistant", "content": dialogue.answer}]
    text: str = tokenizer.apply_chat_template(whole, tokenize=False)
    return asked, text.removeprefix(asked) if text.startswith(asked) else closed


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


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = error.object.count(b"\n", 0, error.start) + 1
        raise BadConfiguration(f"{path}:{number}: no UTF-8: {error.reason}") from None
    except OSError as error:
        raise BadConfiguration(f"{path}: {error.strerror}") from None


def _refuse(faults: Sequence[str]) -> None:
    """Says what is wrong with the first lines, where anything is."""
    if faults:
        more = len(faults) - _SHOWN_FAULTS
        rest = [f"and {more} more lines like these"] if more > 0 else []
        raise BadConfiguration("; ".join([*faults[:_SHOWN_FAULTS], *rest]))


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
        if role not in ROLES:
            raise ValueError(f"messages[{index}]: {role!r} is no role, write {', '.join(ROLES)}")
        yield {"role": role, "content": content}
