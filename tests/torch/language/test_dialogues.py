"""Dialogues from files, and what of them is learned."""

import json

import pytest
from transformers import AutoTokenizer

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.language import dialogues
from kubetune_trainer.language.dialogues import IGNORED, Dialogue

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Define: cat"},
    {"role": "assistant", "content": "an animal"},
    {"role": "user", "content": "Define: dog"},
    {"role": "assistant", "content": "another one"},
]


@pytest.fixture(scope="module")
def tokenizer(tiny_lm):
    return AutoTokenizer.from_pretrained(tiny_lm)


def written(folder, *lines):
    """A file of these lines; what is no text is written as JSON."""
    path = folder / "data.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts), encoding="utf-8")
    return path


def told(path):
    """The faults of a file without its name."""
    with pytest.raises(BadConfiguration) as raised:
        dialogues.read(path)
    return str(raised.value).replace(str(path), "data")


def test_both_kinds_of_lines(tmp_path):
    """Chats end with the answer; prompts have a completion; empty lines are none."""
    first, second = dialogues.read(
        written(tmp_path, {"messages": CHAT}, "", {"prompt": "1 + 1 =", "completion": " 2"})
    )
    assert first.messages == tuple(CHAT[:-1])
    assert first.answer == "another one"
    assert (second.prompt, second.answer) == ("1 + 1 =", " 2")
    assert second.line.endswith("data.jsonl:3")


def test_what_other_programs_write(tmp_path):
    """A byte order mark, Windows' line ends, line separators within a text: all of it is read."""
    path = tmp_path / "data.jsonl"
    lines = [
        json.dumps({"prompt": "a\u2028b\x85", "completion": "c"}, ensure_ascii=False)
        for _ in range(2)
    ]
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode() + b"\r\n")
    assert [each.prompt for each in dialogues.read(path)] == ["a\u2028b\x85"] * 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"prompt": "a", "completion": "b', "no JSON: Unterminated string"),
        ([1], "an object is needed, not list"),
        ({"prompt": "a", "answer": "b"}, "text in completion is missing (there is prompt, answer)"),
        ({}, "text in prompt and completion is missing (there is nothing)"),
        ({"prompt": "a", "completion": None}, "text in completion is missing"),
        ({"prompt": "a", "completion": " \n"}, "completion: it is empty"),
        ({"messages": "hello"}, "messages: a list is needed"),
        ({"messages": []}, "messages: the last one must be of role assistant"),
        ({"messages": CHAT[:2]}, "messages: the last one must be of role assistant"),
        ({"messages": CHAT[2:3]}, "messages: something must come before the answer"),
        ({"messages": [{"role": "user"}]}, "messages[0]: text in role and content is needed"),
        ({"messages": ["hello"]}, "messages[0]: text in role and content is needed"),
        (
            {"messages": [{"role": "human", "content": "a"}, CHAT[2]]},
            "messages[0]: 'human' is no role, write system, developer, user, assistant, tool",
        ),
        (
            {"messages": [CHAT[1], {"role": "assistant", "content": ""}]},
            "messages: the answer is empty",
        ),
    ],
)
def test_faults_of_a_line(tmp_path, line, words):
    """Each fault says the file, the line and what to write."""
    good = {"prompt": "a", "completion": "b"}
    assert told(written(tmp_path, good, line)).startswith(f"data:2: {words}")


def test_several_faults_at_once(tmp_path):
    """The first five are named, the others counted."""
    faults = told(written(tmp_path, {"prompt": "a"}, {"prompt": "a", "completion": "b"}, "{"))
    assert "data:1: text in completion" in faults
    assert "data:3: no JSON" in faults
    assert "data:2" not in faults
    faults = told(written(tmp_path, *["{"] * 8))
    assert faults.count("no JSON") == 5
    assert faults.endswith("and 3 more lines like these")


def test_files_that_are_none(tmp_path):
    """Empty, absent, a folder, or not UTF-8: said with the file's name, and the line."""
    assert told(written(tmp_path, "", "")) == "data: there is nothing in it"
    path = tmp_path / "data.jsonl"
    path.write_bytes(b'{"prompt": "a", "completion": "b"}\n{"prompt": "\xff"}')
    assert told(path) == "data:2: no UTF-8: invalid start byte"
    assert told(tmp_path / "absent") == "data: No such file or directory"
    assert "Is a directory" in told(tmp_path)


def test_only_the_last_answer_is_learned(tokenizer):
    """Of a chat with its template: the last answer, and what closes it; nothing before."""
    encoded = dialogues.encode(Dialogue("another one", messages=tuple(CHAT[:-1])), tokenizer, 999)
    learned = [token for token in encoded.labels if token != IGNORED]
    assert tokenizer.decode(learned) == "another one<|im_end|>\n"
    assert tokenizer.decode(encoded.question).endswith(
        "Define: dog<|im_end|>\n<|im_start|>assistant\n"
    )
    assert (*encoded.question, *learned) == encoded.ids
    whole = tokenizer.apply_chat_template(CHAT, tokenize=False)
    assert tokenizer.decode(encoded.ids) == whole
    assert encoded.targets == len(learned)


def test_a_completion_is_closed(tokenizer):
    """Of a prompt with its completion: the completion and the end of the text."""
    encoded = dialogues.encode(Dialogue(" 2", prompt="1 + 1 ="), tokenizer, 999)
    learned = [token for token in encoded.labels if token != IGNORED]
    assert tokenizer.decode(encoded.question) == "1 + 1 ="
    assert tokenizer.decode(learned) == " 2<|im_end|>"


def test_longer_ones_are_cut(tokenizer):
    """The first tokens are kept; a dialogue that is cut within its question has no target."""
    dialogue = Dialogue("another one", messages=tuple(CHAT[:-1]))
    whole = dialogues.encode(dialogue, tokenizer, 999)
    size = len(whole.question)
    cut = dialogues.encode(dialogue, tokenizer, size + 2)
    assert (cut.ids, cut.targets) == (whole.ids[: size + 2], 2)
    short = dialogues.encode(dialogue, tokenizer, size)
    assert (short.targets, short.question) == (0, short.ids)


class Words:
    """A tokenizer that begins and ends each text, as some do."""

    bos_token_id, eos_token_id, eos_token, chat_template = 1, 2, "</s>", None

    def __call__(self, text, *, add_special_tokens):
        ids = [2 if word == "</s>" else 10 + len(word) for word in text.replace("<", " <").split()]
        return {"input_ids": [1, *ids, 2] if add_special_tokens else ids}


def test_special_tokens():
    """A text begins as the tokenizer begins it; its end comes after the answer, and only there."""
    encoded = dialogues.encode(Dialogue("bb", prompt="a"), Words(), 99)
    assert encoded.ids == (1, 11, 12, 2)
    assert encoded.labels == (IGNORED, IGNORED, 12, 2)


def test_an_empty_prompt(tokenizer):
    """Something comes before the first token of a text without a question: it can be learned."""
    encoded = dialogues.encode(Dialogue("hello"), tokenizer, 99)
    assert encoded.question == (tokenizer.eos_token_id,)
    assert encoded.targets == len(encoded.ids) - 1


def test_templates_that_refuse(tokenizer):
    """A template that wants roles in turn names the lines that are not; without one, it is said."""
    strict = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    strict.chat_template = "{{ raise_exception('roles must alternate') }}"
    given = [Dialogue("a", messages=(CHAT[1],), line=f"data:{n}") for n in (1, 2)]
    with pytest.raises(BadConfiguration) as raised:
        dialogues.encode_all(given, strict, 99)
    words = "the model's chat template refuses it: roles must alternate"
    assert str(raised.value) == f"data:1: {words}; data:2: {words}"
    with pytest.raises(BadConfiguration, match="has no chat template"):
        dialogues.encode_all(given, Words(), 99)


def test_rows_are_filled_up(tokenizer):
    """What fills a row is no target and is not looked at."""
    given = [
        dialogues.encode(Dialogue(text, prompt="a"), tokenizer, 99) for text in ("b", "b c d e")
    ]
    batch = dialogues.padded(given, 7)
    short, longest = (len(each.ids) for each in given)
    assert {tuple(each.shape) for each in batch.values()} == {(2, longest)}
    assert batch["input_ids"][0, short:].tolist() == [7] * (longest - short)
    assert batch["labels"][0, short:].tolist() == [IGNORED] * (longest - short)
    assert batch["attention_mask"].sum(-1).tolist() == [short, longest]
