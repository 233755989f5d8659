# SPDX-License-Identifier: BSD-3-Clause
"""Influences and a correction of text models, as multiples of a training epoch.

    python -m benchmarks.studies.language_cost [--device cuda] [--rows N ...]
        [--parameters P ...] [--limit SECONDS] [--json FILE]

A BERT of random configuration with about p parameters, on n rows of 64 tokens drawn at
random; the label is whether more tokens come from the upper half of the vocabulary. The
unit is one epoch of training all parameters with the same batches (AdamW, the dtype of
the net float32). Measured are the influences of all rows on two functionals (a gap
between two groups, the mean loss), and the whole correction of a fitted net
(influences, weights, update, report). Memory is the peak above what the process held
before: on the device where it is one, else of the process.

What is corrected: the head (exact curvature on features computed once), the factors of
LoRA and all parameters (the diagonal of the Gauss-Newton matrix, or conjugate
gradients). A size that is not done within the limit is reported as such, and sizes are
measured from small to large, so that an interrupted run leaves what it has.
"""

import argparse
import json
import multiprocessing
import resource
import signal
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn

from benchmarks.provenance import RESULTS, provenance

LENGTH, VOCABULARY, BATCH = 64, 512, 64
# Width and layers for about this many parameters.
SIZES = {10**4: (12, 2), 10**5: (48, 3), 10**6: (160, 3), 10**7: (448, 4)}
CASES = {
    "head": {"layer": "last"},
    "LoRA, diagonal": {"layer": "lora", "curvature": "diagonal"},
    "LoRA, conjugate gradients": {"layer": "lora", "curvature": "conjugate_gradient"},
    "all, diagonal": {"layer": "all", "curvature": "diagonal"},
    "all, conjugate gradients": {"layer": "all", "curvature": "conjugate_gradient"},
}


class Classifier(nn.Module):
    """A BERT of random configuration, with or without the factors of peft."""

    def __init__(self, n_parameters, lora=False):
        super().__init__()
        from transformers import BertConfig, BertForSequenceClassification

        width, layers = SIZES[n_parameters]
        config = BertConfig(
            vocab_size=VOCABULARY, hidden_size=width, num_hidden_layers=layers,
            num_attention_heads=4, intermediate_size=4 * width, num_labels=2,
            max_position_embeddings=LENGTH, pad_token_id=0,
        )  # fmt: skip
        self.model = BertForSequenceClassification(config)
        if lora:
            import peft

            factors = peft.LoraConfig(
                r=4,
                lora_alpha=8,
                task_type="SEQ_CLS",
                target_modules=["query", "value"],
            )
            self.model = peft.get_peft_model(self.model, factors)

    def forward(self, **inputs):
        return self.model(**inputs).logits


def problem(n_rows):
    """Token ids, labels and groups; the second group is labelled 1 more often."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 2, n_rows)
    share = 0.5 + 0.1 * rng.normal(size=n_rows) + 0.03 * (groups - 0.5)
    upper = rng.random((n_rows, LENGTH)) < share[:, None]
    ids = rng.integers(1, VOCABULARY // 2, (n_rows, LENGTH)) + upper * VOCABULARY // 2
    X = {"input_ids": ids.astype(np.int64), "attention_mask": np.ones_like(ids)}
    return X, (share > 0.5).astype(np.int64), groups


def fitted(n_rows, n_parameters, lora, device):
    """A net after one epoch, its rows, and the seconds of a further epoch."""
    X, y, groups = problem(n_rows)
    torch.manual_seed(0)
    net = NeuralNetClassifier(
        Classifier,
        module__n_parameters=n_parameters,
        module__lora=lora,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=1e-3,
        lr=1e-3,
        max_epochs=1,
        batch_size=BATCH,
        train_split=None,
        verbose=0,
        device=device,
    ).fit(X, y)
    start = time.perf_counter()
    net.partial_fit(X, y)
    synchronise(device)
    return net, X, y, groups, time.perf_counter() - start


def synchronise(device):
    if device == "cuda":
        torch.cuda.synchronize()


def influences(net, X, y, groups, options):
    from sklearn_softunlearn import influence

    influence(net, X, y, utility="loss", sensitive_features=groups, **options)


def correction(net, X, y, groups, options):
    from sklearn.frozen import FrozenEstimator

    from sklearn_softunlearn import SoftUnlearnCorrector

    SoftUnlearnCorrector(
        FrozenEstimator(net), delta=0.3, weighting="soft", utility_tol=1.0,
        update="influence", **options,
    ).fit(X, y, sensitive_features=groups)  # fmt: skip


def _held(device):
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _peak(device):
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    return _held(device)


def _measure(case, n_rows, n_parameters, device, epoch_of_all, report):
    warnings.simplefilter("ignore")
    torch.set_num_threads(1 if device == "cpu" else 8)
    options = CASES[case]
    lora = options["layer"] == "lora"
    small = fitted(128, n_parameters, lora, device)[:-1]
    influences(*small, options)  # imports and first calls are not counted
    *net, epoch = fitted(n_rows, n_parameters, lora, device)
    epoch = epoch_of_all or epoch
    found = {
        "parameters": sum(p.numel() for p in net[0].module_.parameters()),
        "corrected": _n_corrected(net[0], options["layer"]),
        "epoch, seconds": epoch,
    }
    for name, run in (("influences", influences), ("correction", correction)):
        held, start = _held(device), time.perf_counter()
        run(*net, options)
        synchronise(device)
        found[f"{name}, epochs"] = (time.perf_counter() - start) / epoch
        found[f"{name}, MiB"] = (_peak(device) - held) / 2**20
        report(dict(found))


def _n_corrected(net, layer):
    named = net.module_.named_parameters()
    inside = {"last": ".classifier.", "lora": "lora_", "all": ""}[layer]
    return sum(p.numel() for name, p in named if inside in name)


def _within(limit, arguments, device):
    """Figures of a case, as far as it came within the limit.

    In a process of its own, whose peak of memory is its own; a device knows its peak,
    and starting it anew for each case would take longer than the cases.
    """
    found = {}
    if device != "cpu":
        signal.signal(signal.SIGALRM, _too_late)
        signal.alarm(int(limit))
        try:
            _measure(*arguments, found.update)
        except Exception as error:  # reported as the result of this case
            found["failed"] = f"{type(error).__name__}: {error}"[:200]
        finally:
            signal.alarm(0)
        return found
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(*arguments, sender.send))
    process.start()
    process.join(limit)
    if process.is_alive():
        found["failed"] = f"more than {limit:.0f} s"
        process.terminate()
    elif process.exitcode:
        found["failed"] = "failed; out of memory?"
    while receiver.poll():
        found |= receiver.recv()
    return found


def _too_late(*_):
    raise TimeoutError("out of time")


def study(options, save):
    """Lines of all sizes, small ones first; ``save`` is called after each."""
    sizes = [(n, p) for n in options.rows for p in options.parameters]
    stop, lines = time.monotonic() + options.total, []
    for n_rows, n_parameters in sorted(sizes, key=lambda size: size[0] * size[1]):
        epoch = None
        for case in ("all, diagonal", *(c for c in CASES if c != "all, diagonal")):
            left = min(options.limit, stop - time.monotonic())
            found = {"failed": "no time left"}
            if left > 5:
                arguments = case, n_rows, n_parameters, options.device, epoch
                found = _within(left, arguments, options.device)
            epoch = epoch or found.get("epoch, seconds")
            lines.append({"case": case, "n": n_rows, "p": n_parameters} | found)
            print(lines[-1], flush=True)
            save(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000])
    parser.add_argument("--parameters", type=int, nargs="+", default=[10**4, 10**5])
    parser.add_argument("--limit", type=float, default=300, help="seconds for a case")
    parser.add_argument("--total", type=float, default=3600, help="seconds for all")
    parser.add_argument("--json", type=Path, default=RESULTS / "language_cost.json")
    options = parser.parse_args(arguments)
    machine = provenance("torch", "transformers", "skorch", "peft")
    if options.device == "cuda":
        machine["machine"] = f"{torch.cuda.get_device_name()}; {machine['machine']}"

    def save(lines):
        content = {"provenance": machine, "figures": lines}
        options.json.write_text(json.dumps(content, indent=1) + "\n")

    study(options, save)


if __name__ == "__main__":
    main()
