# SPDX-License-Identifier: BSD-3-Clause
"""Where criteria that perturb features meet the model that they perturb them against.

Adversarial examples are appended to the evaluation rows, with sample weight 0: means
over the rows do not see them, and the criterion that asked for them knows where they
are. So every later stage treats them as rows, and the derivative holds them fixed.
"""

from dataclasses import replace

import numpy as np
from scipy import sparse

from sklearn_softunlearn.corrector.report._report import ReportLine
from sklearn_softunlearn.criteria import AdversarialLoss, NeighborInconsistency


class AttackedModel:
    """A model as attacks see it: values and gradients as functions of features.

    Parameters
    ----------
    model : TrainedModel
    y : ndarray of shape (n_samples,)
    loss : object
        Pointwise loss of the rows.
    """

    def __init__(self, model, y, loss):
        self._model, self._y, self._loss = model, y, loss

    def loss(self, X):
        """Loss of each row and its gradient by the features."""
        raw, gradient = self._model.input_gradient(
            X, lambda raw, rows: self._loss.gradient(self._y[rows], raw)
        )
        return self._loss.value(self._y, raw), gradient

    def margin(self, X):
        """Raw prediction of class 1 less that of class 0, and its gradient."""
        raw, gradient = self._model.input_gradient(X, _margin_direction)
        return np.sum(raw * _margin_direction(raw), axis=1), gradient

    def exact(self, norm, bounded):
        """Whether one step along the gradient reaches the worst case."""
        linear = self._model.linear_in_features and self._model.n_outputs == 1
        return linear and not (norm == "l2" and bounded)


def _margin_direction(raw, rows=None):
    if raw.shape[1] == 1:
        return np.ones_like(raw)
    if raw.shape[1] == 2:
        return np.tile([-1.0, 1.0], (len(raw), 1))
    raise ValueError(
        f"attack='deepfool' is defined for two classes, and the model has "
        f"{raw.shape[1]} outputs. Use attack='pgd'."
    )


def attacks_in(criteria, rows):
    """The criteria, among them and inside them, that perturb features."""
    leaves = [part for each in criteria for part, _ in each.parts(rows)]
    found = [leaf for leaf in leaves if isinstance(leaf, AdversarialLoss)]
    if found and any(isinstance(leaf, NeighborInconsistency) for leaf in leaves):
        raise ValueError(
            "AdversarialLoss and NeighborInconsistency cannot be used together: "
            "adversarial examples would count as neighbours."
        )
    return list(dict.fromkeys(found))


def with_attacked_rows(model, X, rows, inputs, attacks):
    """Evaluation rows followed by the adversarial examples of each attack.

    Parameters
    ----------
    model : TrainedModel
    X : array of shape (n_eval, n_features)
        Evaluation rows, as the model sees them.
    rows : EvaluationRows
    inputs : ndarray of shape (n_eval, ...)
        The same rows before the hidden layers of a net.
    attacks : list of AdversarialLoss

    Returns
    -------
    X : array of shape ((1 + n_attacks) * n_eval, n_features)
    rows : EvaluationRows
    """
    check_attackable(inputs)
    target, n_rows = AttackedModel(model, rows.y, rows.loss), len(rows.y)
    examples = [model.rows_of(attack.perturb(inputs, target)) for attack in attacks]
    X = np.concatenate([X, *examples])
    copies = 1 + len(attacks)
    nothing = np.zeros(n_rows * len(attacks))
    codes = rows.group_codes
    return X, replace(
        rows,
        y=np.tile(rows.y, copies),
        sample_weight=np.concatenate([rows.sample_weight, nothing]),
        group_codes=None if codes is None else np.tile(codes, copies),
        X=X,
        inputs=inputs,
        attacked=tuple(
            (attack, slice(k * n_rows, (k + 1) * n_rows))
            for k, attack in enumerate(attacks, start=1)
        ),
    )


def check_attackable(inputs):
    """Raise ValueError unless features are dense floating numbers.

    Raises
    ------
    ValueError
        For sparse or integer features.
    """
    if sparse.issparse(inputs) or not np.issubdtype(inputs.dtype, np.floating):
        kind = "sparse" if sparse.issparse(inputs) else str(inputs.dtype)
        raise ValueError(
            f"AdversarialLoss needs dense floating features, and X is {kind}: a "
            "perturbation would fill a sparse matrix, and integers cannot move a "
            "little. Convert X, for example with X.toarray()."
        )


def fresh_attack_lines(state, parameters, shift):
    """Each attack made anew: before, at the shifted and at the corrected parameters."""
    rows = state.rows
    moved = state.model.parameters + shift
    for attack, _ in rows.attacked:
        first = rows.attacked[0][1].start
        clean = replace(
            rows,
            y=rows.y[:first],
            sample_weight=rows.sample_weight[:first],
            attacked=((attack, slice(0, first)),),
        )
        raw = [
            _attacked_prediction(state.model.at(theta), attack, clean)
            for theta in (state.model.parameters, moved, parameters)
        ]
        for kind, measure in (
            ("surrogate", attack.value),
            (attack.hard_kind_on(clean), attack.hard_value),
        ):
            values = (float(measure(each, clean)[0]) for each in raw)
            yield ReportLine(attack.name, f"{kind}, anew", *values)


def _attacked_prediction(model, attack, rows):
    target = AttackedModel(model, rows.y, rows.loss)
    return model.raw_prediction(model.rows_of(attack.perturb(rows.inputs, target)))
