# SPDX-License-Identifier: BSD-3-Clause
"""Comments of Wikipedia with labels of toxicity, as token ids for a tiny transformer.

Two files of the Jigsaw / Conversation AI work on unintended bias: real comments, and
sentences made from templates, on which a transformer learns what words mean before it
sees the few comments.
"""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

PAD, UNKNOWN, START = "[PAD]", "[UNK]", "[CLS]"


def comments(data_home):
    """Text, label and mention of a social group of 1492 comments."""
    table = pd.read_csv(Path(data_home) / "text" / "wikipedia_comments.csv.gz")
    return SimpleNamespace(
        texts=table["text"].astype(str).tolist(),
        y=table["toxic"].to_numpy(np.int64),
        mention=table["identity_mention"].to_numpy(str),
    )


def templates(data_home, n_samples, seed=0):
    """Text and label of some sentences made from templates."""
    table = pd.read_csv(Path(data_home) / "text" / "madlibs.csv.gz")
    table = table.sample(n_samples, random_state=seed)
    return SimpleNamespace(
        texts=table["text"].astype(str).tolist(), y=table["toxic"].to_numpy(np.int64)
    )


def trained_tokenizer(texts, vocabulary=2000, length=48):
    """Byte-pair encoding learnt from the texts; every text gets the same length."""
    from tokenizers import Tokenizer
    from tokenizers.models import BPE
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    trainer = BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, UNKNOWN, START],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A", special_tokens=[(START, tokenizer.token_to_id(START))]
    )
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_token=PAD)
    return tokenizer


def encoded(tokenizer, texts):
    """Ids and mask as a dict of arrays, by the names that transformers know."""
    found = tokenizer.encode_batch(texts)
    return {
        "input_ids": np.array([each.ids for each in found], dtype=np.int64),
        "attention_mask": np.array([each.attention_mask for each in found]),
    }
