"""Transformers: a tiny BERT and GPT-2 as saved for the hub, tokenizer files, pickled weights and configurations."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import tokenizers
import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

BERT = BertConfig(
    vocab_size=64,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=32,
)
GPT2 = GPT2Config(vocab_size=64, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=1, eos_token_id=1)


def _tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {"[UNK]": 0, "[PAD]": 1} | {f"word{i}": i + 2 for i in range(60)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
    fast.chat_template = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}"
    return fast


def write(folder: Path) -> Iterator[tuple[str, str]]:
    """Write the family's files and yield their names and kinds."""
    torch.manual_seed(7)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name, model in {"bert": BertForSequenceClassification(BERT), "gpt2": GPT2LMHeadModel(GPT2)}.items():
        home = folder / name
        model.save_pretrained(home)
        _tokenizer().save_pretrained(home)
        torch.save(model.state_dict(), home / "pytorch_model.bin")
        yield f"{name}/pytorch_model.bin", "state-dict"
        yield from ((f"{name}/{path.name}", "data") for path in sorted(home.iterdir()) if path.suffix != ".bin")
        torch.save(model, folder / f"{name}_module.pt")
        yield f"{name}_module.pt", "module"
    for name, value in {"config": BERT, "generation": transformers.GenerationConfig(max_new_tokens=5)}.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(value))
        yield f"{name}.pkl", "pickle"
