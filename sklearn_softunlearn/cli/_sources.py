# SPDX-License-Identifier: BSD-3-Clause
"""Where the rows come from: fairlearn's data sets, a file, or the generator."""

import socket
import warnings
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import numpy as np
import pandas as pd
from fairlearn import datasets as fairlearn_datasets

from sklearn_softunlearn.arguments import did_you_mean
from sklearn_softunlearn.cli._files import read_table, typed
from sklearn_softunlearn.cli._notices import CommandError, notice, one_line
from sklearn_softunlearn.cli._table import OTHER, TableMaker, make_like, plain_labels
from sklearn_softunlearn.datasets import make_biased_classification

NETWORK_TIMEOUT = 5.0  # seconds for each of OpenML's four attempts


class DataUnreachable(Exception):
    """A data set is neither in the cache nor to be had from the network."""


def _adult_groups(X):
    return X["sex"].astype(str), "sex"


def _bank_groups(X):
    return pd.Series(np.where(X["age"] < 30, "under 30", "30 and over")), "age"


def _credit_groups(X):
    return X["SEX"].astype(int).map({1: "male", 2: "female"}), "SEX"


FETCHED = {
    "adult": (fairlearn_datasets.fetch_adult, _adult_groups),
    "bank": (fairlearn_datasets.fetch_bank_marketing, _bank_groups),
    "credit": (fairlearn_datasets.fetch_credit_card, _credit_groups),
}


@contextmanager
def _impatient_network():
    """Give up on a silent server: without a default, its sockets wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one for each attempt
            yield
    finally:
        socket.setdefaulttimeout(before)


def _fetch(name, data_home, make_table):
    fetcher, group_rule = FETCHED[name]
    if data_home is not None and not Path(data_home).is_dir():
        raise CommandError(f"--data-home {data_home} is not a folder")
    try:
        with _impatient_network():
            bunch = fetcher(data_home=data_home)
    except (OSError, ValueError, EOFError, HTTPException) as error:
        reason = getattr(error, "reason", error)  # of a URLError, else the error
        raise DataUnreachable(one_line(reason)) from error
    groups, groups_name = group_rule(bunch.data)
    return make_table(
        name,
        bunch.data,
        plain_labels(bunch.target),
        groups.to_numpy(dtype=str),
        target=bunch.target.name,
        groups_name=groups_name,
        held_in=[groups_name],
    )


def _simulate(make_table):
    bunch = make_biased_classification(20_000, as_bunch=True, random_state=0)
    names = np.array(["reference", "biased"])
    return make_table(
        "simulated",
        pd.DataFrame(bunch.data, columns=bunch.feature_names),
        bunch.target,
        names[bunch.sensitive_features],
        target="target",
        groups_name="group",
    )


def _check_columns(frame, path, target, sensitive):
    for column in [target, *sensitive]:
        if column not in frame.columns:
            known = ", ".join(map(str, frame.columns[:30]))
            hint = did_you_mean(column, list(frame.columns))
            raise CommandError(f"no column {column!r} in {path}.{hint} It has: {known}")
    if target in sensitive:
        raise CommandError(f"column {target!r} cannot be both target and sensitive")


def _drop_unlabelled(frame, columns):
    """Rows whose label or group is unknown: neither can be imputed honestly."""
    known = frame[columns].notna().all(axis=1)
    if not known.all():
        named = ", ".join(columns)
        notice(f"{(~known).sum()} rows without a value of {named} are left out")
    return frame[known]


def _load_file(path, target, sensitive, categories=()):
    """Features, labels and groups of the rows whose label and group are known.

    Columns of ``categories`` are no numbers, whatever their cells look like.
    """
    frame = read_table(path, [target, *sensitive, *categories])
    _check_columns(frame, path, target, sensitive)
    frame = _drop_unlabelled(frame, [target, *sensitive])
    if frame.empty:
        raise CommandError(f"{path} has no row with a label and a group")
    groups = frame[sensitive].astype(str).agg(", ".join, axis=1)
    seen = [name for name in sensitive if name not in categories]
    X = frame.assign(**{name: typed(path, frame[name]) for name in seen})
    y = plain_labels(typed(path, frame[target]))
    return X.drop(columns=target), y, groups.to_numpy(dtype=str)


def _maker(options):
    return TableMaker(
        options.drop,
        options.positive,
        options.min_group_size,
        merge=options.small_groups == "merge",
        keep_sensitive=options.keep_sensitive,
    )


def load_table(options):
    """Load the table that the options name."""
    make_table = _maker(options)
    if options.table:
        rows = _load_file(options.table, options.target, options.sensitive)
        return make_table(
            options.table.name,
            *rows,
            target=options.target,
            groups_name=", ".join(options.sensitive),
            held_in=options.sensitive,
        )
    if options.dataset == "simulated":
        return _simulate(make_table)
    try:
        return _fetch(options.dataset or "adult", options.data_home, make_table)
    except DataUnreachable as error:
        if options.dataset:
            raise CommandError(
                f"data set {options.dataset!r} is neither cached nor reachable "
                f"({error}): give --data-home, or --dataset simulated"
            ) from error
        notice(f"Adult is neither cached nor reachable ({error}): simulated data")
        return _simulate(make_table)


def load_test(options, table):
    """Load the held-out rows of a file of their own; None if there is none."""
    if options.test is None:
        return None
    categories = table.X.columns[table.X.dtypes != np.float64]
    X, y, groups = _load_file(
        options.test, options.target, options.sensitive, categories
    )
    known = np.unique(table.groups)
    if OTHER in known:
        groups = np.where(np.isin(groups, known), groups, OTHER)
    if y.dtype.kind != table.y.dtype.kind:  # 0 and 1 beside 0.0 and 1.0, or text
        y = _labels_like(y, table.y, options.test)
    return make_like(table, X, y, groups, file=options.test)


def _labels_like(y, like, file):
    try:
        return y.astype(like.dtype)
    except ValueError as error:
        raise CommandError(
            f"labels of {file} are of another kind than those of the table"
        ) from error
