# SPDX-License-Identifier: BSD-3-Clause
"""Influences that come from elsewhere take the place of ours."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_softunlearn import (
    InfluenceUpdate,
    PrecomputedInfluence,
    SoftUnlearnCorrector,
    influence,
)
from sklearn_softunlearn.datasets import make_biased_classification

OPTIONS = {"weighting": "soft", "utility_tol": 0.1, "calibrate": None, "delta": 0.5}


@pytest.fixture(scope="module")
def problem():
    X, y, group = make_biased_classification(300, random_state=0)
    model = LogisticRegression(C=0.1, solver="newton-cholesky", tol=1e-10).fit(X, y)
    return X, y, group, model


def corrected(problem, curvature="auto", **options):
    X, y, group, model = problem
    corrector = SoftUnlearnCorrector(
        FrozenEstimator(model), curvature=curvature, **(OPTIONS | options)
    )
    return corrector.fit(X, y, sensitive_features=group)


def by_hand(problem):
    """Influences from per-row gradients and a Hessian, as textbooks write them."""
    X, y, _, model = problem
    design = np.column_stack([X, np.ones(len(X))])
    p = model.predict_proba(X)[:, 1]
    ridge = np.diag(np.r_[np.full(X.shape[1], 1 / model.C), 0.0])
    hessian = design.T @ ((p * (1 - p))[:, None] * design) + ridge
    rows = (p - y)[:, None] * design

    def query(derivative):
        gradient = design.T @ derivative[:, 0, :]
        return rows @ np.linalg.solve(hessian, gradient)

    return query


def test_a_query_by_hand_gives_the_weights_of_our_influences(problem):
    own = corrected(problem)
    given = corrected(problem, PrecomputedInfluence(by_hand(problem)))

    np.testing.assert_allclose(
        given.deletion_weights_, own.deletion_weights_, atol=1e-6
    )
    np.testing.assert_allclose(given.estimator_.coef_, own.estimator_.coef_, atol=1e-6)


def test_given_values_decide_the_weights(problem):
    X, y, group, model = problem
    found = influence(model, X, y, utility="loss", sensitive_features=group).values
    held = found.copy()
    held[:100] = 0.0  # as if the first rows did nothing
    own = corrected(problem, PrecomputedInfluence(found))
    given = corrected(problem, PrecomputedInfluence(held))

    assert np.any(own.deletion_weights_[:100] > 0)
    assert not np.any(given.deletion_weights_[:100])
    assert np.any(given.deletion_weights_[100:] > 0)


@pytest.mark.filterwarnings("ignore:.*Since `:UserWarning")
def test_captum_explicit_hessian_agrees_with_ours(problem, tmp_path):
    """Without penalty, which captum does not know."""
    torch = pytest.importorskip("torch")
    captum = pytest.importorskip("captum.influence")
    X, y, group, _ = problem
    X = X[:, :4]
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12)
    model.fit(X, y)
    layer = torch.nn.Linear(4, 1).double()
    with torch.no_grad():
        layer.weight.copy_(torch.as_tensor(model.coef_))
        layer.bias.copy_(torch.as_tensor(model.intercept_))
    path = tmp_path / "layer.pt"
    torch.save(layer.state_dict(), path)
    tensor, target = torch.as_tensor(X), torch.as_tensor(y, dtype=torch.float64)

    def loss(output, label):
        criterion = torch.nn.functional.binary_cross_entropy_with_logits
        return criterion(output[:, 0], label, reduction="none")

    def load(module, at):
        module.load_state_dict(torch.load(at))
        return 1.0

    def query(derivative):
        tool = captum.NaiveInfluenceFunction(
            layer,
            torch.utils.data.TensorDataset(tensor, target),
            str(path),
            checkpoints_load_func=load,
            loss_fn=loss,
            batch_size=300,
            hessian_reg=0.0,
            projection_dim=5,
            sample_wise_grads_per_batch=False,
            test_loss_fn=lambda output, factor: output[:, 0] * factor,
        )
        columns = [
            tool.influence((tensor, torch.as_tensor(column))).sum(dim=0).numpy()
            for column in derivative[:, 0, :].T
        ]
        return np.column_stack(columns)

    shared = X, y, group, model
    own = corrected(shared)
    given = corrected(shared, PrecomputedInfluence(query))
    np.testing.assert_allclose(
        given.deletion_weights_, own.deletion_weights_, atol=1e-4
    )


def test_bad_values_are_refused_by_name(problem):
    wrong = PrecomputedInfluence(np.zeros((300, 2)))
    with pytest.raises(ValueError, match=r"values has shape \(300, 2\)"):
        corrected(problem, wrong)
    with pytest.raises(ValueError, match="NaN or infinity"):
        corrected(problem, PrecomputedInfluence(np.full((300, 3), np.nan)))


def test_what_cannot_use_them_is_refused(problem):
    given = PrecomputedInfluence(by_hand(problem))
    with pytest.raises(ValueError, match="weighting='soft'"):
        corrected(problem, given, weighting="exact")
    with pytest.raises(ValueError, match="at the fitted parameters"):
        corrected(problem, given, update=InfluenceUpdate(max_iter=3, tol=0.0))
