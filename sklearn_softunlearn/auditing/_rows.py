# SPDX-License-Identifier: BSD-3-Clause
"""Held-out rows, and what two models say of them."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import is_classifier, is_regressor

from sklearn_softunlearn.corrector import CorrectedEstimatorMixin, make_table
from sklearn_softunlearn.criteria import EvaluationRows, GroupMetric
from sklearn_softunlearn.models import RowBlocks, of_each_block
from sklearn_softunlearn.pointwise import AsGivenResponse
from sklearn_softunlearn.scoring import Answers, with_groups

# A metric that counts answers of each kind; `Answers` asks it.
_COUNTING = {
    "labels": GroupMetric("accuracy_score_difference"),
    "probabilities": GroupMetric("log_loss_difference"),
    "scores": GroupMetric("roc_auc_score_difference"),
    "numbers": GroupMetric("mean_prediction_difference"),
}


@dataclass(frozen=True)
class JudgedRows:
    """Rows and the answers of the model before and after.

    Attributes
    ----------
    rows : EvaluationRows
        Target, weights and groups; "raw predictions" are answers.
    answers : dict of str to tuple of (ndarray, ndarray)
        By kind: "labels", "probabilities" and "scores" of shape (n_samples, n_classes),
        or "numbers" of shape (n_samples, 1). A kind that one of the models does not
        give is absent.
    task : {"binary", "multiclass", "regression"}
    unweighted, has_groups : bool
        Whether every row counts once, and whether sensitive features were given.
    """

    rows: EvaluationRows
    answers: dict
    task: str
    unweighted: bool
    has_groups: bool

    @property
    def n(self):
        """Number of rows."""
        return len(self.rows.y)

    def described(self):
        """Number of rows, groups, classes and the positive one, for the reader."""
        classes = self.rows.classes
        members = self.members() if self.has_groups else []
        weight = self.rows.sample_weight
        return {
            "n": self.n,
            "weighted": not self.unweighted,
            "groups": [
                {
                    "name": name,
                    "n": int(mask.sum()),
                    "share": float(weight[mask].sum() / weight.sum()),
                    "mean_target": self._mean_target(mask),
                }
                for name, mask in members
            ],
            "classes": list(classes) or None,
            "positive_class": classes[1] if self.task == "binary" else None,
        }

    def _mean_target(self, mask):
        """Share of positive rows, or mean of the numbers; None of several classes."""
        if self.task == "multiclass":
            return None
        return float(
            np.average(self.rows.y[mask], weights=self.rows.sample_weight[mask])
        )

    def members(self):
        """(name, mask) of each group, in the order of the codes."""
        codes = self.rows.group_codes
        return [(name, codes == g) for g, name in enumerate(self.rows.group_names)]


def judged_rows(subject, held_out, *, pos_label, random_state):
    """Check the held-out rows and ask both models.

    Parameters
    ----------
    subject : Subject
    held_out : ValidationData
    pos_label : object
        Class, of two, whose rates are measured; None is the second.
    random_state : int
        For models that predict at random.

    Raises
    ------
    ValueError
        If the rows do not fit each other, or the models do not predict the same kind.
    """
    given = held_out.sensitive_features, held_out.sample_weight
    table = make_table(held_out.X, held_out.y, *given, None, "")
    kept = np.flatnonzero(table.sample_weight > 0)
    if len(kept) < len(table.y):
        table = table.take(kept)
    models = [
        with_groups(
            _predicting(model, table.X), table.y, table.sensitive_features, random_state
        )
        for model in (subject.before, subject.after)
    ]
    task = _task(models)
    readers = _readers(models[0], table, pos_label)
    first = readers.get("labels", readers.get("numbers"))
    rows = _evaluation_rows(table, first)
    readers = {
        kind: reader
        for kind, reader in readers.items()
        if all(any(hasattr(m, name) for name in reader.methods) for m in models)
    }
    answers = _answers(readers, models, table.X)
    unweighted = bool(np.all(table.sample_weight == 1.0))
    has_groups = table.sensitive_features is not None
    return JudgedRows(rows, answers, task, unweighted, has_groups)


def _predicting(model, X):
    """The model; of a corrector of blocks what workers need, without its rows."""
    if isinstance(X, RowBlocks) and isinstance(model, CorrectedEstimatorMixin):
        return model.estimator_
    return model


def _answers(readers, models, X):
    """Answers of each kind of both models, from one pass over the rows."""
    columns = of_each_block(X, partial(_columns, tuple(readers.values()), models))
    # Each reader gives as many columns of either model.
    n_columns = [len(reader.counted_classes) or 1 for reader in readers.values()]
    ends = np.cumsum(np.repeat(n_columns, 2))[:-1]
    parts = np.split(columns, ends, axis=1)
    return dict(zip(readers, zip(parts[::2], parts[1::2], strict=True), strict=True))


def _columns(readers, models, X):
    return np.hstack([reader(model, X) for reader in readers for model in models])


def _task(models):
    kinds = {_kind(model) for model in models}
    if len(kinds) > 1 or None in kinds:
        named = " and ".join(type(model).__name__ for model in models)
        raise ValueError(
            f"{named} cannot be compared: give two classifiers or two regressors."
        )
    if kinds == {"regression"}:
        return "regression"
    known = [np.asarray(model.classes_).tolist() for model in models]
    if known[0] != known[1]:
        raise ValueError(
            f"The models know different classes, {known[0]} before and {known[1]} "
            "after. Give two models that were fitted to the same target."
        )
    return "binary" if len(known[0]) == 2 else "multiclass"


def _kind(model):
    if is_classifier(model):
        return "classes"
    return "regression" if is_regressor(model) else None


def _readers(model, table, pos_label):
    """Reader of each kind of answers that such a model may give."""
    kinds = ["numbers"] if is_regressor(model) else [*_COUNTING][:3]
    return {
        kind: Answers.of(
            model,
            table.X,
            table.y,
            metric=_COUNTING[kind],
            name=kind,
            response_method=None,
            pos_label=pos_label,
        )
        for kind in kinds
    }


def _evaluation_rows(table, reader):
    # Without groups all rows are one: what is measured of groups is not shown then.
    grouped = {
        "group_codes": np.zeros(len(table.y), dtype=int),
        "group_names": ("all rows",),
    }
    if table.sensitive_features is not None:
        groups = table.groups()
        labels = np.asarray(groups.labels, dtype=object)
        grouped = {
            "group_codes": groups.codes,
            "group_names": groups.names,
            "group_labels": labels if labels.ndim == 2 else None,
            "group_columns": groups.columns,
        }
    return EvaluationRows(
        reader.target(table.y),
        table.sample_weight,
        None,
        AsGivenResponse(),
        classes=reader.counted_classes,
        **grouped,
    )
