# SPDX-License-Identifier: BSD-3-Clause
"""Rows as dicts and Datasets give what the same rows give as one array."""

from collections import UserDict

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    MLP,
    classifier,
    fitted,
    table,
)

import torch  # isort: skip
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDataset, SliceDict
from torch import nn

from sklearn_softunlearn import SoftUnlearnCorrector, influence, leave_one_out


class TwoInputs(MLP):
    """The columns of a table in two arguments."""

    def forward(self, left, right):
        return super().forward(torch.cat([left, right], dim=1))


class Texts(torch.utils.data.Dataset):
    """Token lists of unequal lengths, with labels."""

    def __init__(self, n_samples=150, seed=0):
        rng = np.random.default_rng(seed)
        self.y = rng.integers(0, 2, n_samples)
        self.group = rng.integers(0, 2, n_samples)
        self.rows = [
            np.r_[2 + y, 4 + 2 * g, rng.integers(4, 20, rng.integers(1, 9))]
            for y, g in zip(self.y, self.group, strict=True)
        ]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], int(self.y[i])


def padded(batch):
    width = max(len(row) for row, _ in batch)
    X = torch.zeros(len(batch), width, dtype=torch.int64)
    for i, (row, _) in enumerate(batch):
        X[i, : len(row)] = torch.as_tensor(row)
    return X, torch.as_tensor([label for _, label in batch])


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(24, 5, padding_idx=0)
        self.out = nn.Linear(5, 2)

    def forward(self, x):
        return self.out(self.embedding(x).sum(dim=1) / (x > 0).sum(dim=1)[:, None])


@pytest.fixture(scope="module")
def two():
    X, y, group = table(300)
    parts = {"left": X[:, :1], "right": X[:, 1:]}
    net = fitted(classifier(TwoInputs, batch_size=32), parts, y)
    plain = fitted(classifier(MLP), X, y)
    plain.module_.load_state_dict(net.module_.state_dict())
    return net, plain, parts, X, y, group


WRAPS = {
    "dict": dict,
    "SliceDict": lambda parts: SliceDict(**parts),
    "mapping": UserDict,
    "tensors": lambda parts: {k: torch.as_tensor(v) for k, v in parts.items()},
}


@pytest.mark.parametrize("layer", ["last", "all", ["hidden.*", "out.bias"]])
@pytest.mark.parametrize("wrap", WRAPS)
def test_a_dict_is_the_array_of_its_columns(two, wrap, layer):
    net, plain, parts, X, y, group = two
    options = {"sensitive_features": group, "utility": "loss", "layer": layer}
    expected = influence(plain, X, y, **options)
    found = influence(net, WRAPS[wrap](parts), y, **options)

    np.testing.assert_allclose(
        found.values, expected.values, rtol=1e-3, atol=1e-3 * expected.values.std()
    )


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_correction_from_end_to_end(two, wrap):
    _, _, parts, _, y, group = two
    corrector = SoftUnlearnCorrector(
        classifier(TwoInputs), delta=0.1, utility_tol=0.5, validation_fraction=0.3,
        random_state=0,
    ).fit(WRAPS[wrap](parts), y, sensitive_features=group)  # fmt: skip
    line = corrector.report_["demographic_parity_difference", "surrogate"]

    assert line.after < line.before
    assert corrector.predict(dict(parts)).shape == y.shape


def test_validation_rows_and_a_grid_search_of_dicts(two):
    _, _, parts, _, y, group = two
    rows = SliceDict(**parts)
    net = classifier(TwoInputs, max_epochs=5)
    given = SoftUnlearnCorrector(net, delta=0.05, utility_tol=1.0)
    given.fit(
        rows[:200], y[:200], X_val=dict(rows[200:]), y_val=y[200:],
        sensitive_features_val=group[200:],
    )  # fmt: skip
    search = GridSearchCV(given, {"delta": [0.0, 0.02]}, cv=2)
    search.fit(rows, y, sensitive_features=group)

    assert given.report_.n_evaluation == 100
    assert set(search.best_params_) == {"delta"}


def test_leave_one_out_of_dicts(two):
    net, plain, parts, X, y, group = two
    options = {"indices": [0, 3], "sensitive_features": group}
    found = leave_one_out(net, parts, y, **options)
    expected = leave_one_out(plain, X, y, **options)

    np.testing.assert_allclose(found.actual, expected.actual, rtol=0.02, atol=1e-6)


def test_a_transformer_may_return_a_dict(two):
    _, _, _, X, y, group = two
    split = FunctionTransformer(lambda X: {"left": X[:, :1], "right": X[:, 1:]})
    pipeline = make_pipeline(split, classifier(TwoInputs))
    corrector = SoftUnlearnCorrector(pipeline, delta=0.1, utility_tol=0.5)
    corrector.fit(X, y, sensitive_features=group)
    line = corrector.report_["demographic_parity_difference", "surrogate"]

    assert line.after < line.before


@pytest.mark.parametrize(
    "wrap", [lambda ds: ds, SliceDataset], ids=["Dataset", "sliced"]
)
@pytest.mark.parametrize("layer", ["last", "all"])
def test_datasets_of_rows_that_a_collate_function_pads(wrap, layer):
    texts = Texts()
    collate = {f"iterator_{part}__collate_fn": padded for part in ("train", "valid")}
    net = classifier(Bag, batch_size=16, max_epochs=10, **collate)
    state = torch.get_rng_state()
    corrector = SoftUnlearnCorrector(net, delta=0.02, utility_tol=1.0, layer=layer)
    corrector.fit(wrap(texts), None, sensitive_features=texts.group)
    line = corrector.report_["demographic_parity_difference", "surrogate"]
    assert line.after < line.before
    assert len(corrector.predict(texts)) == len(texts)

    array, _ = padded([texts[i] for i in range(len(texts))])
    frozen = FrozenEstimator(corrector.base_estimator_)
    rows = influence(frozen, wrap(texts), texts.y, sensitive_features=texts.group,
                     layer=layer)  # fmt: skip
    plain = corrector.base_estimator_
    del plain.iterator_valid__collate_fn, plain.iterator_train__collate_fn
    same = influence(plain, array.numpy(), texts.y, sensitive_features=texts.group,
                     layer=layer)  # fmt: skip
    np.testing.assert_allclose(
        rows.values, same.values, rtol=1e-3, atol=1e-3 * same.values.std()
    )
    torch.set_rng_state(state)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ({"x": [[1, 2], [1]]}, ValueError, r"X\['x'\] is no array.*padding=True"),
        ({"x": np.ones(3), "z": np.ones(2)}, ValueError, "different lengths"),
        ([np.ones((4, 2)), np.ones((4, 2))], TypeError, "several inputs as a dict"),
        (["a text", "another"], TypeError, "tokenizer of skorch.hf"),
    ],
)
def test_rows_that_a_net_does_not_take(X, error, message):
    with pytest.raises(error, match=message):
        SoftUnlearnCorrector(classifier(MLP)).fit(X, [0, 1])


def test_compiled_modules_are_corrected_without_the_compiler():
    X, y, group = table()
    net = fitted(classifier(MLP), X, y)
    expected = influence(net, X, y, sensitive_features=group, layer="all")
    net.module_ = torch.compile(net.module_, backend="eager")
    found = influence(net, X, y, sensitive_features=group, layer="all")
    corrector = SoftUnlearnCorrector(FrozenEstimator(net), delta=0.05, utility_tol=1.0)
    corrector.fit(X, y, sensitive_features=group)

    np.testing.assert_array_equal(found.values, expected.values)
    assert isinstance(corrector.estimator_.module_, MLP)


def test_a_tied_last_layer_is_refused():
    class Tied(MLP):
        def __init__(self):
            super().__init__(n_hidden=2)
            self.out.weight = self.extra = nn.Parameter(self.out.weight.detach())

    X, y, group = table()
    net = fitted(classifier(Tied), X, y)
    with pytest.raises(ValueError, match=r"'out', is tied: it is .*extra"):
        influence(net, X, y, sensitive_features=group)
    all_of_it = influence(net, X, y, sensitive_features=group, layer="all")
    assert np.isfinite(all_of_it.values).all()
