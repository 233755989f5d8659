# SPDX-License-Identifier: BSD-3-Clause
"""What names mean, and what happened, for a reader who writes no code."""

from sklearn_softunlearn.auditing.page._format import change, count, number, share, span

_BASES = {
    "selection_rate": ("selection rate", "share of people who get the positive answer"),
    "true_positive_rate": (
        "true positive rate",
        "of the people whose true label is positive, the share who get the positive "
        "answer",
    ),
    "false_positive_rate": (
        "false positive rate",
        "of the people whose true label is negative, the share who get the positive "
        "answer all the same",
    ),
    "true_negative_rate": (
        "true negative rate",
        "of the people whose true label is negative, the share who get the negative "
        "answer",
    ),
    "false_negative_rate": (
        "false negative rate",
        "of the people whose true label is positive, the share who get the negative "
        "answer all the same",
    ),
    "accuracy_score": ("accuracy", "share of answers that are right"),
    "zero_one_loss": ("error rate", "share of answers that are wrong"),
    "balanced_accuracy_score": (
        "balanced accuracy",
        "mean, over the classes, of the share of their rows that are answered right",
    ),
    "precision_score": (
        "precision",
        "of the people who get the positive answer, the share whose true label is "
        "positive",
    ),
    "recall_score": (
        "recall",
        "of the people whose true label is positive, the share who get the positive "
        "answer",
    ),
    "f1_score": ("F1 score", "one number for precision and recall together"),
    "roc_auc_score": (
        "area under the ROC curve",
        "how often a positive row has a higher score than a negative one: 0.5 is "
        "chance, 1 is always",
    ),
    "log_loss": (
        "log loss",
        "how much the predicted probabilities miss the true labels: 0 is exact, and "
        "smaller is better",
    ),
    "mean_score": (
        "mean score",
        "mean predicted probability of the positive answer",
    ),
    "mean_prediction": ("mean prediction", "mean of what is predicted"),
    "mean_error": (
        "mean error",
        "prediction minus truth, on average: 0 is neither too high nor too low",
    ),
    "mean_absolute_error": (
        "mean absolute error",
        "how far predictions are from the truth, on average",
    ),
    "mean_squared_error": (
        "mean squared error",
        "mean square of the distance between prediction and truth",
    ),
    "r2": ("R2", "share of the differences in the target that is predicted"),
    "r2_score": ("R2", "share of the differences in the target that is predicted"),
    "demographic_parity": ("demographic parity", "share who get the positive answer"),
    "equal_opportunity": (
        "equal opportunity",
        "of the people whose true label is positive, the share who get the positive "
        "answer",
    ),
    "equalized_odds": (
        "equalized odds",
        "true positive rate or false positive rate, whichever differs more",
    ),
}
_OF_CLASS = {
    "selection_rate": "share of rows with the answer {}",
    "true_positive_rate": "of the rows whose true label is {0}, the share with the "
    "answer {0}",
    "false_positive_rate": "of the rows with another true label, the share with the "
    "answer {} all the same",
}
_TRANSFORMS = {
    "_difference": (
        "difference",
        "The largest difference between two groups; 0 means that they are alike",
    ),
    "_ratio": (
        "ratio",
        "The smallest ratio between two groups; 1 means that they are alike",
    ),
    "_group_min": ("of the lowest group", "The group that has the lowest value"),
    "_group_max": ("of the highest group", "The group that has the highest value"),
}


def title(name):
    """The name in words, such as "demographic parity difference"."""
    base, transform, options = _parts(name)
    words = _BASES.get(base, (base.replace("_", " "),))[0]
    if transform:
        words = f"{words} {_TRANSFORMS[transform][0]}"
    return words + options


def meaning(name, of_class=None):
    """What the number says, one sentence, "" for names of others.

    Of more than two classes a rate is about ``of_class``.
    """
    base, transform, _ = _parts(name)
    if base not in _BASES:
        return ""
    words = _BASES[base][1]
    if of_class is not None:
        words = _OF_CLASS[base].format(of_class)
    if transform:
        return f"{_TRANSFORMS[transform][1]}. Compared is: {words}."
    return f"{capital(words)}."


def terms(names):
    """(term, meaning) of what these names are made of, in the order of the names."""
    parts = [_parts(name)[:2] for name in names]
    bases = dict.fromkeys(base for base, _ in parts if base in _BASES)
    transforms = dict.fromkeys(t for _, t in parts if t)
    found = [(title(base), meaning(base)) for base in bases]
    return found + [
        (f"\N{HORIZONTAL ELLIPSIS} {words}", f"{said}.")
        for words, said in (_TRANSFORMS[t] for t in transforms)
    ]


def driver(name):
    """What a metric comes from, such as two groups and a rate, in words."""
    groups, _, base = name.rpartition(" | ")
    if base.partition(" ")[0] not in _BASES:  # of a group's name
        groups, base = name, ""
    groups = groups.removeprefix("1 - ").replace(" - ", " \N{MINUS SIGN} ")
    of, _, label = base.partition(" ")
    words = " ".join(filter(None, [title(of) if of else "", label]))
    return ", ".join(filter(None, [groups, words]))


def capital(words):
    """With a capital, at the start of a line."""
    return words[:1].upper() + words[1:]


def in_short(document):
    """What happened, a list of sentences."""
    lines = []
    asked = [m for m in document["metrics"] if m["asked"]]
    for measurement in asked or document["metrics"][:1]:
        said = meaning(measurement["name"])
        lines.append(f"{_sentence(measurement)} {said}".strip())
        lines += _fraction(document, measurement)
    utility = {"regression": "mean_squared_error"}.get(document["task"])
    for measurement in document["overall"]:
        if measurement["name"] == (utility or "accuracy_score"):
            lines.append(_sentence(measurement))
    lines += _harm(document)
    lines += _deleted(document["deletion"])
    if document["notes"]:
        n = len(document["notes"])
        lines.append(f"{n} note{'s' * (n > 1)} below say{'s' * (n == 1)} what to mind.")
    return lines


def _sentence(measurement):
    name = measurement["name"]
    before, after = measurement["before"], measurement["after"]
    words = title(name)
    if before["value"] is None or after["value"] is None:
        return f"{capital(words)} cannot be measured on these rows."
    moved = measurement["change"]
    interval = span(moved, name, change)
    sentence = (
        f"{capital(words)}: {number(before['value'], name)} before, "
        f"{number(after['value'], name)} after, a change of "
        f"{change(moved['value'], name)}"
    )
    if interval:
        sentence += f" (interval {interval})"
    return f"{sentence}.{_certainty(measurement)}"


def _certainty(measurement):
    if measurement["beyond_noise"] is not False or not measurement["change"]["value"]:
        return ""
    return " These rows cannot tell this change from chance."


def _fraction(document, measurement):
    request, realised = document["request"], measurement["realised"]
    if request is None or realised is None or not measurement["asked"]:
        return []
    went = f"it went {share(realised)}" if realised >= 0 else "it went the other way"
    asked = f"Asked was {share(request['delta'])} of the way to parity"
    return [f"{asked}; on these rows {went}."]


def _harm(document):
    worse = document["got_worse"]
    if not worse:
        return ["Nothing else that is measured here got worse."]
    sure = [each for each in worse if each["beyond_noise"]]
    known = any(each["beyond_noise"] is not None for each in worse)
    one = len(worse) == 1
    sentence = (
        f"{len(worse)} figure{'' if one else 's'} that nobody asked to change got worse"
    )
    if known:
        beyond = "all" if len(sure) == len(worse) > 1 else len(sure) or "none"
        sentence += f", {beyond} of them by more than chance explains"
    return [
        f"{sentence}: see \N{LEFT DOUBLE QUOTATION MARK}What got worse"
        "\N{RIGHT DOUBLE QUOTATION MARK}."
    ]


def _deleted(deletion):
    if deletion is None:
        return []
    return [
        f"The correction takes back {share(deletion['share'])} of the weight of "
        f"the training rows ({count(deletion['deleted_mass'])} of "
        f"{count(deletion['total_mass'])})."
    ]


def _parts(name):
    """Base, transform and options of a name such as "selection_rate_ratio(...)"."""
    plain, bracket, options = name.partition("(")
    for transform in _TRANSFORMS:
        if plain.endswith(transform):
            return plain.removesuffix(transform), transform, bracket + options
    return plain, "", bracket + options
