# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of a requirement want to know of every candidate."""

from dataclasses import dataclass

import numpy as np

from sklearn_softunlearn.confidence import (
    Means,
    PairedAnswers,
    generator,
    loss_bound,
    metric_bound,
    nothing_lost,
    promised,
)
from sklearn_softunlearn.criteria import usual_score
from sklearn_softunlearn.scoring import counted_of_all
from sklearn_softunlearn.tuning._requirement import scores_of
from sklearn_softunlearn.tuning._scoring import metadata_of

# Draws for what has no limits in closed form.
_DRAWS = 1000


@dataclass(frozen=True)
class Evidence:
    """Reader of what is promised: a metric, or what is lost of the utility.

    Attributes
    ----------
    metric, utility : str
        Names of the scorers.
    scorers : dict of str to callable
        These two.
    of_loss : bool
        Whether the promise is about the utility.
    value_range : tuple of (float, float) or None
        Of the numbers that the metric averages.
    """

    metric: str
    utility: str
    scorers: dict
    of_loss: bool
    value_range: tuple | None

    @classmethod
    def of(cls, requirement, scorers):
        """Evidence for a requirement, checked as far as it can be without rows."""
        metric, utility = requirement.names(list(scorers))
        of_loss = requirement.bound()[0] == "utility_loss_at_most"
        if of_loss and utility not in map(usual_score, (True, False)):
            raise ValueError(
                f"A confidence for utility_loss_at_most needs a utility that is named "
                f"'accuracy' or 'r2'; it is {utility!r}."
            )
        if not of_loss and not hasattr(scorers[metric], "counted_on"):
            raise ValueError(
                f"A confidence needs a metric that compares groups; {metric!r} is "
                f"{scorers[metric]!r}. Give the name of one, or fairness_scorer(...)."
            )
        chosen = {name: scorers[name] for name in (metric, utility)}
        evidence = cls(metric, utility, chosen, of_loss, requirement.value_range)
        evidence.limit(requirement)  # refuses the wrong direction
        return evidence

    def answers(self, models, rows):
        """(classes, what each model says of the rows), for `tested`."""
        _, counted, answer = self._counted(models[0], rows)
        return counted.classes, [answer(model, rows.X) for model in models]

    def limit(self, requirement):
        """What the functional of the bound must not exceed."""
        if self.of_loss:
            return requirement.utility_loss_at_most
        return promised(
            self.scorers[self.metric].metric.criterion,
            requirement.metric_at_most,
            requirement.metric_at_least,
        )

    def tested(self, model, rows, answers, base, confidence):
        """Function from a candidate to its bound.

        Parameters
        ----------
        model : fitted estimator
            Of the classes of those that answered.
        rows : Table
            Those that test, which were held out of each model that answers for them.
        answers : list of ndarray of shape (n_samples, n_columns)
            Of each candidate.
        base : int
            The candidate before correction, with which a loss is compared.
        confidence : float
        """
        criterion, counted, _ = self._counted(model, rows)
        labels = counted.n_classes and (self.of_loss or criterion.takes == "labels")
        # Cells of one candidate, or two, are fewer than those of all at once.
        make = PairedAnswers.of_labels if labels else PairedAnswers.of_rows

        def bound_of(k):
            means = Means(_DRAWS, generator(0), self.value_range)
            if self.of_loss and k == base:
                return nothing_lost(len(counted.y))
            if self.of_loss:
                paired = make(counted, [answers[base], answers[k]])
                return loss_bound(paired.answers, paired, confidence, means)
            paired = make(counted, [answers[k]])
            return metric_bound(criterion, paired.answers[0], paired, confidence, means)

        return bound_of

    def tested_choice(self, requirement, search, path, split, of_folds, results):
        """Function from ``cv_results_`` to the index that the tests choose.

        ``of_folds`` is what `joined` returns; None where rows were set apart to test.
        """
        models = search.models(path)
        if of_folds is None:
            rows = split.evaluation
            _, answers = self.answers(models, rows)
            # Of rows that the folds held out: nearer the truth than the fitted ones.
            scores = [scores_of(results, n) for n in (self.metric, self.utility)]
            training = np.transpose(scores)
        else:
            positions, answers, training = of_folds
            rows = split.training.take(positions)
        confidence, limit = requirement.confidence, self.limit(requirement)
        bound_of = self.tested(models[0], rows, answers, search.base(), confidence)
        return lambda results: requirement.choose(results, bound_of, training, limit)

    def _counted(self, model, rows):
        """Criterion, rows and reader of answers."""
        scorer = self.scorers[self.metric]
        if not self.of_loss:
            return scorer.counted_on(model, rows.X, rows.y, **metadata_of(scorer, rows))
        worst = f"{self.utility}_score_group_min"
        return counted_of_all(worst, model, rows.X, rows.y, rows.sample_weight)


def joined(folds, seen):
    """Rows that test, in the order of the folds, and what each candidate says of them.

    Parameters
    ----------
    folds : list of (train, test)
    seen : list of (training scores, (classes, answers))
        Of each fold.

    Returns
    -------
    rows : ndarray of int
    answers : list of ndarray
    training : ndarray of shape (n_candidates, 2)
        Mean scores of metric and utility on the rows that trained.

    Raises
    ------
    ValueError
        If a row tests twice, or folds know different classes.
    """
    rows = np.concatenate([test for _, test in folds])
    if len(np.unique(rows)) < len(rows):
        raise ValueError(
            "A confidence needs folds in which no row is tested twice: the same row "
            "is no new evidence. Give cv a number, or a splitter such as KFold."
        )
    classes = [of_fold for _, (of_fold, _) in seen]
    if any(of_fold != classes[0] for of_fold in classes):
        raise ValueError(
            f"The folds know different classes: {classes}. Use stratified folds."
        )
    answers = zip(*(given for _, (_, given) in seen), strict=True)
    training = np.mean([scores for scores, _ in seen], axis=0)
    return rows, [np.concatenate(each) for each in answers], training
