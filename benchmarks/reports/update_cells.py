# SPDX-License-Identifier: BSD-3-Clause
"""Means over seeds of the cells of `benchmarks.studies.updates`, in a compact file."""

import json
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.provenance import provenance

KEYS = ("task", "model", "metric", "update", "weighting")
MEASURES = ("metric", "second", "loss", "accuracy")


def summarize(runs):
    """JSON of the mean and the standard error of each cell over its seeds.

    Changes are paired: the standard error is that of the difference between after and
    before on the same rows. "less hard" is what soft weights leave less what hard
    weights leave, paired in the same way; it is None for hard weights.
    """
    table = _with_hard(pd.DataFrame(runs))
    rows = [
        dict(zip(KEYS, key, strict=True)) | _cell(cell)
        for key, cell in table.groupby(list(KEYS), sort=False)
    ]
    content = {"date": date.today().isoformat(), "provenance": provenance()}
    content["columns"] = list(rows[0])
    lines = ",\n".join(json.dumps(list(row.values())) for row in rows)
    return f'{json.dumps(content)[:-1]}, "cells": [\n{lines}\n]}}\n'


def read_summary(file):
    """Table of the cells in a file written by `summarize`, and its other content."""
    content = json.loads(file.read_text())
    return pd.DataFrame(content.pop("cells"), columns=content["columns"]), content


def _with_hard(table):
    """Each run of soft weights with the figures of hard weights in the same place."""
    place = [key for key in (*KEYS, "seed") if key != "weighting"]
    figures = [f"{name} after" for name in MEASURES]
    hard = table.loc[table["weighting"] == "hard", [*place, *figures]]
    merged = table.merge(hard, how="left", on=place, suffixes=("", " hard"))
    merged.loc[merged["weighting"] == "hard", [f"{f} hard" for f in figures]] = np.nan
    return merged


def _cell(cell):
    finished = cell[cell["seconds"].notna()]
    row = {
        "seeds": len(finished),
        "failures": len(cell) - len(finished),
        "delta": _rounded(cell["delta"].mean()),
        "realised": _rounded(finished["realised"].mean()),
        "deleted": _rounded(finished["deleted"].mean()),
        "steps": _rounded(finished["steps"].mean()),
        "stopped": finished["status"].value_counts().to_dict(),
        "base fits": _rounded((finished["seconds"] / finished["fit seconds"]).median()),
    }
    for name in MEASURES:
        after = finished[f"{name} after"]
        row[f"{name} before"] = _rounded(cell[f"{name} before"].mean())
        row |= _mean_and_error(f"{name} change", after - finished[f"{name} before"])
        row |= _mean_and_error(
            f"{name} less hard", after - finished[f"{name} after hard"]
        )
    return row


def _mean_and_error(name, values):
    error = values.std() / np.sqrt(max(values.count(), 1))
    return {name: _rounded(values.mean()), f"{name} se": _rounded(error)}


def _rounded(value):
    """Four digits; None for NaN, which is no JSON."""
    return None if np.isnan(value) else float(f"{value:.4g}")
