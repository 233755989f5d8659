# SPDX-License-Identifier: BSD-3-Clause
"""Nets that train or predict in a way of their own: read right, or refused by name."""

import functools
import warnings

import numpy as np
import pytest

from tests.nets.nets_for_tests import (  # first: it skips without torch
    MLP,
    binary_classifier,
    classifier,
    fitted,
    table,
)

import torch  # isort: skip
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.dataset import ValidSplit
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.utils.data import (
    RandomSampler,
    Sampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

from sklearn_softunlearn import SoftUnlearnCorrector, influence
from sklearn_softunlearn.exceptions import BaseNotConvergedWarning
from sklearn_softunlearn.models import model_class

COUNTS = torch.tensor([1.0, 4.0])
CE = nn.functional.cross_entropy
OPTIONS = {
    "criterion": nn.CrossEntropyLoss,
    "optimizer": torch.optim.Adam,
    "optimizer__weight_decay": 1e-3,
    "lr": 0.02,
    "max_epochs": 10,
    "train_split": None,
    "verbose": 0,
}


def net_of(kind, module=MLP, **options):
    torch.manual_seed(0)
    return kind(module, **(OPTIONS | options))


def influences(net, X, y, group, layer="last"):
    return influence(net, X, y, sensitive_features=group, utility="loss", layer=layer)


class WeightedMean(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return CE(y_pred, y_true, weight=COUNTS)


class Counted(NeuralNetClassifier):
    """In torch's own way of a weighted mean: no normalisation, reduction "none"."""

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        loss = super().get_loss(y_pred, y_true, *args, **kwargs)
        return (torch.where(y_true == 1, 4.0, 1.0) * loss).sum() / 2.0


class InPlace(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        weight = torch.ones(len(y_true))
        weight[y_true == 1] = 4.0
        loss = CE(y_pred, y_true, reduction="none")
        return (weight * loss).sum() / weight.sum()


class OnlyTraining(NeuralNetClassifier):
    """The loss that is watched is not the one that is trained."""

    def get_loss(self, y_pred, y_true, X=None, training=False):
        return CE(y_pred, y_true, weight=COUNTS if training else None)


class Heavy(nn.CrossEntropyLoss):
    """A subclass of a known criterion."""

    def forward(self, input, target):
        return CE(input, target, weight=COUNTS.to(input.dtype))


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (WeightedMean, {}),
        (InPlace, {}),
        (OnlyTraining, {}),
        (NeuralNetClassifier, {"criterion": Heavy}),
    ],
    ids=["weighted mean", "in place", "training only", "subclass"],
)
def test_a_loss_of_ones_own_is_that_of_the_weights_it_stands_for(kind, options, layer):
    X, y, group = table()
    own = fitted(net_of(kind, **options), X, y)
    plain = fitted(net_of(NeuralNetClassifier, criterion__weight=COUNTS), X, y)
    expected = influences(plain, X, y, group, layer).values[:, :2]
    found = influences(own, X, y, group, layer).values[:, :2]

    np.testing.assert_allclose(
        found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max()
    )
    assert np.corrcoef(found[:, 0], unweighted(X, y, group, layer))[0, 1] < 0.95


def unweighted(X, y, group, layer):
    net = fitted(net_of(NeuralNetClassifier), X, y)
    return influences(net, X, y, group, layer).values[:, 0]


def test_a_sum_is_told_from_a_mean():
    X, y, _ = table()
    net = fitted(net_of(Counted, criterion__reduction="none", lr=1e-3), X, y)
    make = model_class(net, "all")
    model = make(net, X, y, np.ones(len(y)))
    half = fitted(
        net_of(
            NeuralNetClassifier,
            criterion__weight=COUNTS / 2,
            criterion__reduction="sum",
            lr=1e-3,
        ),
        X,
        y,
    )
    expected = make(half, X, y, np.ones(len(y)))
    gradient, other = (m.objective_gradient(m.row_weight) for m in (model, expected))

    np.testing.assert_allclose(gradient, other, rtol=1e-3, atol=1e-4)


class Penalised(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, *args, **kwargs):
        loss = super().get_loss(y_pred, y_true, *args, **kwargs)
        return loss + 1e-3 * sum((p**2).sum() for p in self.module_.parameters())


class Pairs(nn.Module):
    """The share of pairs in the wrong order, which no row has alone."""

    def forward(self, raw, y):
        score = raw[:, 1] - raw[:, 0]
        gap = score[:, None] - score[None]
        return torch.sigmoid(-gap * (y[:, None].double() - y[None].double())).mean()


class ReadsX(NeuralNetClassifier):
    def get_loss(self, y_pred, y_true, X=None, training=False):
        return (X[:, 0].exp() * CE(y_pred, y_true, reduction="none")).mean()


class Scaled(NeuralNetClassifier):
    """Reads the rows where it is given some."""

    def get_loss(self, y_pred, y_true, X=None, training=False):
        scale = 1.0 if X is None else X[:, 0].exp()
        return (scale * CE(y_pred, y_true, reduction="none")).mean()


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Penalised, {}, r"Penalised\.get_loss .*parameters.*weight_decay"),
        (NeuralNetClassifier, {"criterion": Pairs}, "Pairs, is no mean or sum"),
        (ReadsX, {}, r"ReadsX\.get_loss.*outputs and targets alone"),
        (Scaled, {}, "own get_loss gives"),
    ],
    ids=["penalised", "pairs", "reads X", "scaled"],
)
def test_a_loss_that_rows_do_not_have_alone_is_refused(kind, options, message, layer):
    X, y, group = table()
    net = fitted(net_of(kind, **options), X, y)

    with pytest.raises(ValueError, match=message):
        influences(net, X, y, group, layer)


class Late(NeuralNetClassifier):
    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.75).astype(int)


class Tempered(NeuralNetClassifier):
    def predict_proba(self, X):
        probability = super().predict_proba(X) ** 2
        return probability / probability.sum(axis=1, keepdims=True)


class Inferred(NeuralNetClassifier):
    def infer(self, x, **fit_params):
        return super().infer(x, **fit_params) + torch.tensor([0.0, 1.0])


class Offset(NeuralNetRegressor):
    def predict(self, X):
        return super().predict(X) + 1.0


@pytest.mark.parametrize(
    ("kind", "method"),
    [(Late, "predict"), (Tempered, "predict_proba"), (Inferred, "predict")],
)
@pytest.mark.parametrize("layer", ["last", "all"])
def test_a_net_that_predicts_its_own_way_is_refused(kind, method, layer):
    X, y, group = table()
    net = fitted(net_of(kind), X, y)

    with pytest.raises(ValueError, match=rf"{kind.__name__}\.{method} returns"):
        influences(net, X, y, group, layer)


def test_a_regressor_that_predicts_its_own_way_is_refused():
    X, y, _ = table()
    target = y.astype(np.float32)[:, None]
    net = net_of(Offset, criterion=nn.MSELoss, module__n_outputs=1).fit(X, target)

    with pytest.raises(ValueError, match=r"Offset\.predict returns"):
        influence(net, X, target, metric="loss")


class Cubed(nn.CrossEntropyLoss):
    """Of probabilities, which the module returns."""

    def forward(self, input, target):
        own = input.gather(1, target[:, None])[:, 0]
        return ((1.0 - own) ** 3).mean()


class Own(nn.Module):
    def forward(self, probability, target):
        return Cubed()(probability, target)


class OwnBinary(nn.BCELoss):
    pass


@pytest.mark.parametrize(
    ("net", "binary"),
    [
        (lambda: classifier(MLP, criterion=Own, module__tail=nn.Softmax(-1)), False),
        (
            lambda: binary_classifier(
                MLP, criterion=OwnBinary, module__tail=nn.Sigmoid(), threshold=0.4
            ),
            True,
        ),
        (
            lambda: classifier(
                MLP, predict_nonlinearity=lambda z: torch.softmax(z / 2.0, -1)
            ),
            False,
        ),
    ],
    ids=["softmax", "sigmoid", "predict_nonlinearity"],
)
def test_the_report_counts_what_the_net_predicts(net, binary):
    X, y, group = table(400)
    target = y.astype(np.float32) if binary else y
    trained = fitted(net(), X, target)
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(trained), layer="all", delta=0.1, utility_tol=1.0
    ).fit(X, target, sensitive_features=group)
    for model, column in ((trained, "before"), (corrector, "after")):
        probability, label = model.predict_proba(X)[:, 1], model.predict(X)
        lines = corrector.report_
        name = "demographic_parity_difference"
        for kind, values in (("surrogate", probability), ("fairlearn", label)):
            gap = abs(values[group == "a"].mean() - values[group == "b"].mean())
            found = getattr(lines[name, kind], column)
            assert found == pytest.approx(gap, rel=1e-3, abs=1e-9)


class Alternate(Sampler):
    """Even rows, twice."""

    def __init__(self, data_source=None):
        self.n = 150

    def __iter__(self):
        return iter([*range(0, self.n, 2), *reversed(range(0, self.n, 2))])

    def __len__(self):
        return self.n


@pytest.mark.parametrize(
    ("options", "visited"),
    [
        (lambda: {"sampler": SubsetRandomSampler(range(75))}, np.arange(150) < 75),
        (lambda: {"sampler": Alternate()}, 2.0 * (np.arange(150) % 2 == 0)),
        (
            lambda: {
                "sampler": WeightedRandomSampler(np.arange(150.0), num_samples=150)
            },
            150 * np.arange(150) / np.arange(150).sum(),
        ),
        (lambda: {"sampler": RandomSampler(range(150), num_samples=50)}, np.ones(150)),
        (lambda: {"batch_size": 64, "drop_last": True}, np.arange(150) < 128),
        (lambda: {"batch_size": 64, "drop_last": True, "shuffle": True}, np.ones(150)),
        (lambda: {"shuffle": True}, np.ones(150)),
    ],
    ids=["subset", "own", "weighted", "random", "dropped", "shuffled", "plain"],
)
def test_rows_count_as_often_as_the_sampler_draws_them(options, visited):
    X, y, _ = table()
    given = {f"iterator_train__{name}": value for name, value in options().items()}
    net = fitted(classifier(MLP, max_epochs=2, **given), X, y)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    model = model_class(net, "all")(net, X, y, np.ones(150))

    np.testing.assert_allclose(model.row_weight, visited)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_rows_outside_the_sampler_are_never_deleted():
    X, y, group = table()
    net = classifier(MLP, iterator_train__sampler=SubsetRandomSampler(range(75)))
    corrector = SoftUnlearnCorrector(net, delta=0.05, utility_tol=0.5)
    corrector.fit(X, y, sensitive_features=group)

    assert not np.any(corrector.deletion_weights_[75:])
    assert np.sum(corrector.deletion_weights_[:75] > 0) > 10


def test_a_sampler_knows_rows_of_the_training_part():
    X, y, _ = table()
    net = classifier(
        MLP,
        max_epochs=2,
        train_split=ValidSplit(5),
        iterator_train__sampler=SubsetRandomSampler(range(60)),
    )
    net = fitted(net, X, y)
    model = model_class(net, "all")(net, X, y, np.ones(150))

    # The first fifth is held out.
    assert np.array_equal(np.flatnonzero(model.row_weight), np.arange(30, 90))


class Other(Sampler):
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def __iter__(self):
        return iter(self.rng.integers(0, 150, 150).tolist())

    def __len__(self):
        return 150


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (Other, r"other rows in each epoch \(Other\)"),
        (
            lambda: WeightedRandomSampler(np.ones(150), 100, replacement=False),
            "WeightedRandomSampler",
        ),
        (lambda: SubsetRandomSampler(range(200)), "200 rows where .* 150"),
    ],
)
def test_a_sampler_that_does_not_say_what_it_draws_is_refused(sampler, message):
    X, y, group = table()
    net = fitted(classifier(MLP, max_epochs=1), X, y)
    net.iterator_train__sampler = sampler()

    with pytest.raises(ValueError, match=message):
        influences(net, X, y, group)


def bare(n_outputs=2, **options):
    return net_of(
        NeuralNetClassifier, nn.Linear(4, n_outputs, bias=False, **options), lr=0.01
    )


def test_a_module_that_is_one_linear_layer():
    X, y, group = table()
    corrector = SoftUnlearnCorrector(bare(), delta=0.1, utility_tol=0.5)
    corrector.fit(X, y, sensitive_features=group)
    line = corrector.report_["demographic_parity_difference", "surrogate"]

    assert line.after == pytest.approx(0.9 * line.before, rel=0.05)


def test_integers_of_weight_decay_are_numbers():
    X, y, group = table()
    net = bare().set_params(optimizer__weight_decay=0)
    assert np.isfinite(influences(fitted(net, X, y), X, y, group).values).all()


REPARAMETRISED = {
    "weight_norm": lambda layer: parametrizations.weight_norm(layer),
    "spectral_norm": lambda layer: parametrizations.spectral_norm(layer),
    "pruned": lambda layer: prune.l1_unstructured(layer, "weight", amount=0.3),
    "orthogonal": lambda layer: parametrizations.orthogonal(layer),
}


# vmap says that it works row by row.
@pytest.mark.filterwarnings("ignore:There is a performance drop")
@pytest.mark.parametrize("how", REPARAMETRISED)
def test_a_last_layer_made_from_other_parameters(how):
    X, y, group = table()
    net = fitted(classifier(MLP), X, y)
    REPARAMETRISED[how](net.module_.out)
    with pytest.raises(ValueError, match=r"layer='last'.*out.*is made from"):
        influences(net, X, y, group)

    corrector = SoftUnlearnCorrector(
        FrozenEstimator(net), layer="all", delta=0.05, utility_tol=1.0
    ).fit(X, y, sensitive_features=group)
    line = corrector.report_["demographic_parity_difference", "surrogate"]
    assert line.after < line.before


@pytest.mark.parametrize("layer", ["last", "all"])
def test_a_net_that_diverged_says_so(layer):
    X, y, group = table()
    net = fitted(classifier(MLP), X, y)
    with torch.no_grad():
        net.module_.hidden[0].bias.fill_(float("nan"))

    with pytest.raises(ValueError, match=r"diverged: hidden\.0\.bias holds NaN"):
        influences(net, X, y, group, layer)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_a_criterion_that_is_a_function(layer):
    X, y, group = table()
    net = fitted(net_of(NeuralNetClassifier), X, y)
    expected = influences(net, X, y, group, layer)
    net.criterion_ = CE
    found = influences(net, X, y, group, layer)

    np.testing.assert_allclose(found.values, expected.values, rtol=1e-3, atol=1e-7)


class PlainCE:
    """No nn.Module: skorch takes anything that can be called."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def __call__(self, output, target):
        return self.factor * nn.functional.cross_entropy(output, target)


class PlainFocal:
    def __call__(self, output, target):
        log_p = nn.functional.log_softmax(output, -1).gather(1, target[:, None])
        return -((1.0 - log_p.exp()) ** 2 * log_p).mean()


class Focal(nn.Module):
    forward = PlainFocal.__call__


def functional():
    return nn.functional.cross_entropy


NO_MODULES = {
    "class": (PlainCE, nn.CrossEntropyLoss),
    "partial": (functools.partial(PlainCE, factor=1.0), nn.CrossEntropyLoss),
    "function": (functional, nn.CrossEntropyLoss),
    "of no known kind": (PlainFocal, Focal),
}


@pytest.mark.parametrize("cached", [False, True], ids=["", "memory"])
@pytest.mark.parametrize("kind", NO_MODULES)
def test_a_criterion_that_is_no_module_is_the_same_loss(kind, cached, tmp_path):
    X, y, group = table()
    found, expected = (
        SoftUnlearnCorrector(
            net_of(NeuralNetClassifier, criterion=criterion),
            memory=str(tmp_path) if cached else None,
        ).fit(X, y, sensitive_features=group)
        for criterion in NO_MODULES[kind]
    )
    scale = np.abs(expected.influence_).max()
    np.testing.assert_allclose(
        found.influence_, expected.influence_, rtol=1e-3, atol=1e-5 * scale
    )


class NoisyOnce(TransformerMixin, BaseEstimator):
    """Draws in fit_transform alone, so that no prediction tells."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def fit_transform(self, X, y=None):
        return self.fit(X) and X + np.float32(
            np.random.default_rng(0).normal(size=X.shape)
        )

    def transform(self, X):
        return X


@pytest.mark.parametrize("layer", ["last", "all"])
@pytest.mark.parametrize(
    "step", [NoisyOnce(), FunctionTransformer(np.tanh), "passthrough"],
    ids=["noise", "function", "none"],
)  # fmt: skip
def test_a_frozen_net_behind_a_step_that_draws_in_fit_says_so(step, layer):
    X, y, group = table()
    pipeline = make_pipeline(step, net_of(NeuralNetClassifier)).fit(X, y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        influence(pipeline, X, y, sensitive_features=group, layer=layer)
    said = [w for w in caught if issubclass(w.category, BaseNotConvergedWarning)]
    assert len(said) == isinstance(step, NoisyOnce)
    assert all("The step 'noisyonce'" in str(each.message) for each in said)


def test_a_trimmed_net_is_refused_by_name():
    X, y, group = table()
    net = fitted(net_of(NeuralNetClassifier), X, y)
    net.trim_for_prediction()

    with pytest.raises(ValueError, match=r"trim_for_prediction.*Freeze the net"):
        influences(net, X, y, group)


@pytest.mark.parametrize("layer", ["last", "all"])
def test_float64_from_a_transformer_says_what_to_cast(layer):
    X, y, group = table()
    pipeline = make_pipeline(
        make_column_transformer((StandardScaler(), [0, 1, 2, 3])), classifier(MLP)
    )
    with pytest.raises(ValueError, match=r"float64.*FunctionTransformer\(np.float32\)"):
        SoftUnlearnCorrector(pipeline, layer=layer).fit(
            X.astype(float), y, sensitive_features=group
        )


@pytest.mark.parametrize(
    ("net", "X", "y"),
    [
        (classifier, np.float64, np.int64),
        (classifier, np.float32, np.int32),
        (classifier, np.int64, np.int64),
        (binary_classifier, np.float32, np.int64),
    ],
    ids=["rows", "labels", "integers", "binary labels"],
)
def test_dtypes_that_torch_refuses_are_explained(net, X, y):
    rows, target, group = table()
    with pytest.raises(ValueError, match=r"(X|y) has dtype \w+.*astype\(np\.\w+\)"):
        SoftUnlearnCorrector(net(MLP)).fit(
            rows.astype(X), target.astype(y), sensitive_features=group
        )


def test_a_binary_net_with_its_own_weights():
    class Weighted(NeuralNetBinaryClassifier):
        def get_loss(self, y_pred, y_true, *args, **kwargs):
            loss = nn.functional.binary_cross_entropy_with_logits(
                y_pred, y_true.float(), reduction="none"
            )
            return (torch.where(y_true == 1, 3.0, 1.0) * loss).mean()

    X, y, group = table()
    own = binary_classifier(MLP)
    torch.manual_seed(0)
    own = Weighted(MLP, **own.get_params_for("none") | _binary_options())
    torch.manual_seed(0)
    own.fit(X, y.astype(np.float32))
    plain = binary_classifier(MLP, criterion__pos_weight=torch.tensor(3.0))
    plain.fit(X, y.astype(np.float32))
    found, expected = (
        influences(net, X, y.astype(np.float32), group).values[:, 0]
        for net in (own, plain)
    )
    np.testing.assert_allclose(
        found, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max()
    )


def _binary_options():
    return {name: value for name, value in OPTIONS.items() if name != "criterion"} | {
        "module__n_outputs": 1,
        "max_epochs": 30,
    }
