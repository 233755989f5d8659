# SPDX-License-Identifier: BSD-3-Clause
"""Names of groups, labels, models and metrics are drawn as they are written."""

import io
from html import unescape
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest

from sklearn_softunlearn import SoftUnlearnCorrector
from sklearn_softunlearn.cli._curve import save_curve
from sklearn_softunlearn.datasets import make_biased_classification
from sklearn_softunlearn.display import (
    DeletionWeightsDisplay,
    InfluenceDisplay,
    TradeoffDisplay,
)

mpl.use("Agg")
import matplotlib.pyplot as plt

NAMES = [
    "$25_$ k",
    "$0-$25k",
    "$x^2$",
    r"\$5 or $6",
    r"\alpha_1 ^ 50 % & #2 {~}",
    "one $ alone",
    "_hidden",
    "<b>&amp;$ $",
]


@pytest.fixture(autouse=True)
def svg_with_text():
    with mpl.rc_context({"svg.fonttype": "none"}):
        yield
    plt.close("all")


def drawn(display):
    """The text of a figure, as a reader sees it: mathematics is taken apart there."""
    page = io.StringIO()
    display.figure_.savefig(page, format="svg")
    return unescape(page.getvalue())


def weights(names):
    return DeletionWeightsDisplay(np.arange(len(names)), names, group=names).plot()


def influence(name, plot):
    display = InfluenceDisplay(
        metric=[0.1, -0.2, 0.3], utility=[0.1, 0.2, 0.1], actual=[0.1, -0.3, 0.2],
        metric_name=f"selection_rate: {name} - other",
    )  # fmt: skip
    return getattr(display, plot)()


def tradeoff(**options):
    return TradeoffDisplay(
        delta=[0.0, 0.5], metric=[0.2, 0.1], utility=[0.9, 0.8], **options
    ).plot()


def test_groups_and_labels_of_weights():
    seen = drawn(weights(np.array(NAMES)))
    for name in NAMES:
        assert f">{name}</text>" in seen
        assert f">label {name}</text>" in seen


@pytest.mark.parametrize("plot", ["plot", "plot_effects"])
@pytest.mark.parametrize("name", NAMES[:4])
def test_functionals_of_influences(name, plot):
    assert f"selection_rate: {name} - other</text>" in drawn(influence(name, plot))


def test_models_beside_a_tradeoff():
    seen = drawn(tradeoff(others={name: (0.1, 0.8) for name in NAMES}))
    assert all(f"{name}</text>" in seen for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_metrics_and_names_of_a_tradeoff(name):
    seen = drawn(tradeoff(name=name, metric_name=f"m: {name}", utility_name=name))
    words = name.replace("_", " ")
    assert f"{name}, labelled by delta</text>" in seen
    assert f">m: {words}</text>" in seen
    assert f">{words}</text>" in seen


def test_the_curve_of_the_command_line(tmp_path):
    X, y, group = make_biased_classification(n_samples=300, random_state=0)
    corrector = SoftUnlearnCorrector().fit(X, y, sensitive_features=group)
    held_out = SimpleNamespace(
        X=X, y=y, groups=group, name="pay_$.csv", groups_name="in_$", positive="$1_$2"
    )
    file = tmp_path / "curve.svg"
    save_curve([corrector], held_out, metric=corrector.metric, file=file)
    text = "pay_$.csv by in_$: 300 held-out rows, positive class $1_$2</text>"
    assert text in unescape(file.read_text())


def test_names_that_tex_would_read():
    """Without TeX at hand: what it is given."""
    with mpl.rc_context({"text.usetex": True}):
        display = weights([r"50% of $1_000 \ ^~{}"])
        ticks = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert ticks[0] == (
        r"50\% of \$1\_000 \textbackslash{} \textasciicircum{}\textasciitilde{}\{\}"
    )
