# SPDX-License-Identifier: BSD-3-Clause
"""Tiny transformers of random configuration, and a tokenizer trained on the spot."""

import importlib
import os
import sys

import numpy as np
import pytest

from tests.nets.nets_for_tests import fitted  # first: it skips without torch

import torch  # isort: skip
from skorch import NeuralNetClassifier
from torch import nn

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def imported(name):
    """An optional package, without a torchvision that does not fit its torch."""
    try:
        importlib.import_module("torchvision")
    except ImportError:
        return pytest.importorskip(name)
    except RuntimeError:
        for each in [each for each in sys.modules if each.startswith("torchvision")]:
            del sys.modules[each]
    kept = sys.modules.get("torchvision")
    sys.modules["torchvision"] = None
    try:
        module = pytest.importorskip(name)
        # What decides later, too, whether there is one.
        from transformers.utils import import_utils

        import_utils.is_torchvision_available()
        import transformers.models.bert.modeling_bert
        import transformers.models.gpt2.modeling_gpt2  # noqa: F401
    finally:
        del sys.modules["torchvision"]
        if kept is not None:
            sys.modules["torchvision"] = kept
    return module


transformers = imported("transformers")
pytest.importorskip("tokenizers")

WORDS = "the a cat dog sat ran on mat rug quick slow red blue happy sad old new".split()
GOOD, BAD, NAMED = ["lovely", "kind"], ["awful", "rude"], ["north", "south"]


def sentences(n_samples=160, seed=0):
    """Texts, whether they are rude, and which place they name: ruder of the north."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 2, n_samples)
    y = (rng.random(n_samples) < np.where(group == 0, 0.65, 0.35)).astype(np.int64)
    texts = []
    for label, place in zip(y, group, strict=True):
        tone = BAD if (label == 1) ^ (rng.random() < 0.15) else GOOD
        words = [*rng.choice(WORDS, 3), rng.choice(tone), NAMED[place]]
        texts.append(" ".join(rng.permutation(words)))
    return texts, y, np.array(NAMED)[group]


def tokenizer(texts, max_length=8):
    """A tokenizer of skorch, fitted when its pipeline is."""
    from skorch.hf import HuggingfaceTokenizer
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.trainers import WordLevelTrainer

    return HuggingfaceTokenizer(
        model=WordLevel,
        model__unk_token="[UNK]",
        tokenizer=Tokenizer,
        trainer=WordLevelTrainer,
        trainer__vocab_size=60,
        trainer__special_tokens=["[PAD]", "[UNK]"],
        trainer__show_progress=False,
        pre_tokenizer=Whitespace,
        pad_token="[PAD]",
        max_length=max_length,
        return_token_type_ids=False,
    )


def bert(attention="eager"):
    config = transformers.BertConfig(
        vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, num_labels=2,
        attn_implementation=attention, pad_token_id=0,
    )  # fmt: skip
    return transformers.BertForSequenceClassification(config)


def gpt(attention="eager"):
    config = transformers.GPT2Config(
        vocab_size=60, n_embd=16, n_layer=2, n_head=2, n_inner=16, n_positions=16,
        num_labels=2, attn_implementation=attention, pad_token_id=0, bos_token_id=1,
        eos_token_id=1,
    )  # fmt: skip
    return transformers.GPT2ForSequenceClassification(config)


MODELS = {"bert": bert, "gpt": gpt}


class Logits(nn.Module):
    """A classifier of transformers, as skorch wants it."""

    def __init__(self, kind="bert", attention="eager", lora=False):
        super().__init__()
        self.model = MODELS[kind](attention)
        if lora:
            peft = imported("peft")
            config = peft.LoraConfig(
                r=2, task_type="SEQ_CLS", lora_alpha=8,
                target_modules=["query", "value"] if kind == "bert" else ["c_attn"],
                fan_in_fan_out=kind == "gpt",
            )  # fmt: skip
            self.model = peft.get_peft_model(self.model, config)

    def forward(self, **inputs):
        return self.model(**inputs).logits


def text_net(seed=0, **options):
    torch.manual_seed(seed)
    defaults = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": torch.optim.AdamW,
        "optimizer__weight_decay": 1e-3,
        "lr": 3e-3,
        "batch_size": 32,
        "max_epochs": 6,
        "train_split": None,
        "verbose": 0,
    }
    return NeuralNetClassifier(Logits, **(defaults | options))


def encoded(texts):
    """Token ids and masks as a dict of arrays."""
    return tokenizer(texts).fit(texts).transform(texts)


def trained(texts, y, **options):
    X = encoded(texts)
    return X, fitted(text_net(**options), X, y)
