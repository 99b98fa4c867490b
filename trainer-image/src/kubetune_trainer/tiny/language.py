"""A language model of 100,000 weights, and definitions of nouns to teach it.

The text it has read before is Python's own reference; the definitions are WordNet's, both out of
installed packages. It learns in seconds, badly, but visibly: good parameters beat bad ones.
"""

import json
import pydoc_data.topics
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kubetune_trainer.training import seeds

SEED = 20_230_101
WIDTH, LAYERS, HEADS, VOCABULARY = 64, 2, 4, 1024
PRETRAINING_STEPS, ROWS, TOKENS, RATE = 200, 16, 64, 5e-3
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_model(folder: Path, *, steps: int = PRETRAINING_STEPS) -> None:
    """A Qwen2 model that has read a little, and its tokenizer, as `from_pretrained` loads them."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer  # noqa: PLC0415 - seconds

    texts = [*pydoc_data.topics.topics.values(), *(gloss for _, gloss in islice(_glosses(), 4000))]
    tokenizer = Qwen2Tokenizer().train_new_from_iterator(
        texts, vocab_size=VOCABULARY, new_special_tokens=["<|im_start|>", "<|im_end|>"]
    )
    tokenizer.pad_token, tokenizer.eos_token = "<|endoftext|>", "<|im_end|>"
    tokenizer.chat_template = TEMPLATE
    with seeds.aside(SEED):
        model = Qwen2ForCausalLM(
            Qwen2Config(
                vocab_size=len(tokenizer),
                hidden_size=WIDTH,
                intermediate_size=176,
                num_hidden_layers=LAYERS,
                num_attention_heads=HEADS,
                num_key_value_heads=2,
                max_position_embeddings=512,
                tie_word_embeddings=True,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
                bos_token_id=None,
            )
        )
        _read(model, tokenizer, texts, steps)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def make_data(folder: Path, *, train: int = 200, evaluation: int = 40, test: int = 40) -> None:
    """`train.jsonl`, `eval.jsonl` and `test.jsonl`: what a noun means, as messages of a chat."""
    folder.mkdir(parents=True, exist_ok=True)
    known = list(_glosses())
    chosen = np.random.default_rng(SEED).permutation(len(known)).tolist()
    begin = 0
    for name, size in (("train", train), ("eval", evaluation), ("test", test)):
        lines = [_line(*known[index]) for index in chosen[begin : begin + size]]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        begin += size


def _read(model: Any, tokenizer: Any, texts: list[str], steps: int) -> None:
    """Some steps of the usual training on plain text."""
    ids = [token for text in texts for token in tokenizer(text)["input_ids"]]
    rows = torch.tensor(ids[: len(ids) // TOKENS * TOKENS]).view(-1, TOKENS)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    model.train()
    for _ in range(steps):
        batch = rows[torch.randint(0, len(rows), (ROWS,))]
        model(input_ids=batch, labels=batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def _glosses() -> Any:
    """Nouns with their definitions, from the tables that timm has of ImageNet's classes."""
    spec = find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("definitions of nouns are read from timm: install it")
    info = Path(spec.submodule_search_locations[0]) / "data" / "_info"
    tables = []
    for name in ("lemma", "definition"):
        text = (info / f"imagenet_synset_to_{name}.txt").read_text(encoding="utf-8")
        tables.append(dict(line.split("\t", 1) for line in text.splitlines() if "\t" in line))
    lemmas, definitions = tables
    for key, definition in definitions.items():
        if key in lemmas:
            yield lemmas[key].split(",")[0], definition


def _line(noun: str, meaning: str) -> str:
    messages = [
        {"role": "user", "content": f"Define: {noun}"},
        {"role": "assistant", "content": meaning},
    ]
    return json.dumps({"messages": messages})
