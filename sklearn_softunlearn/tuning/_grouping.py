# SPDX-License-Identifier: BSD-3-Clause
"""Groups that are formed once for all folds, in which one may be small that is not."""

from dataclasses import replace

from sklearn.base import clone

from sklearn_softunlearn.corrector import (
    ValidationData,
    columns_of,
    group_rule,
    learn_groups,
)


def grouped_once(corrector, table, fixed):
    """Corrector that takes groups as they are, and the rows with groups as it wants.

    Parameters
    ----------
    corrector : SoftUnlearnCorrector
    table : Table
    fixed : dict
        Validation data, by the names of the arguments of `fit`.

    Returns
    -------
    corrector, table, fixed
    """
    rule = group_rule(corrector)
    kept = rule["bins"] is None and rule["small_groups"] == "keep"
    if table.sensitive_features is None or kept:
        return corrector, table, fixed
    found = learn_groups(table, **rule)
    grouped = found.apply(table.sensitive_features, table.groups_name)
    ids = corrector.sensitive_feature_ids
    plain = {"bins": None, "small_groups": "keep", "sensitive_feature_ids": None}
    fixed = _validation_grouped(found, ids, fixed)
    table = replace(table, sensitive_features=grouped)
    return clone(corrector).set_params(**plain), table, fixed


def _validation_grouped(found, ids, fixed):
    X_val = fixed.get("X_val")
    if isinstance(X_val, ValidationData):
        parts = {"X_val": X_val.X, "sensitive_features_val": X_val.sensitive_features}
        groups = _validation_grouped(found, ids, parts)["sensitive_features_val"]
        return fixed | {"X_val": replace(X_val, sensitive_features=groups)}
    groups = fixed.get("sensitive_features_val")
    if X_val is not None and ids is not None:
        groups = columns_of(X_val, ids)
    if groups is None:
        return fixed
    grouped = found.apply(groups, "sensitive_features_val")
    return fixed | {"sensitive_features_val": grouped}
