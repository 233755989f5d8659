# SPDX-License-Identifier: BSD-3-Clause
"""The README keeps its word."""

import re
from pathlib import Path

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_difference
from sklearn import clone, config_context

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture(scope="module")
def names():
    """What the examples define, run one after the other."""
    namespace = {}
    for example in EXAMPLES:
        exec(compile(example, "README.md", "exec"), namespace)
    return namespace


def test_the_example_halves_the_gap(names):
    X, y, A = names["X"], names["y"], names["A"]
    before, after = (
        demographic_parity_difference(y, model.predict(X), sensitive_features=A)
        for model in (names["model"], names["corrector"])
    )
    assert after / before == pytest.approx(0.5, abs=0.15)


def test_the_search_needs_no_request_with_metadata_routing(names):
    search = clone(names["search"])
    with config_context(enable_metadata_routing=True):
        search.fit(names["X"], names["y"], sensitive_features=names["A"])
    for score in ("mean_test_gap", "mean_test_accuracy"):
        np.testing.assert_allclose(
            search.cv_results_[score], names["search"].cv_results_[score]
        )


@pytest.mark.parametrize("module", ["pytest", "sklearn_softunlearn"])
def test_one_line_does_all_the_set_up(module):
    """.ci/run and newcomers copy that line as it stands."""
    lines = [line for line in README.splitlines() if f"-m {module}" in line]
    assert "-m venv .venv && .venv/bin/pip install" in lines[0]


def test_links_lead_to_files_of_the_repository():
    targets = re.findall(r'(?:\]\(|src="|srcset=")([^)"#:]+)[)"]', README)
    assert targets
    root = Path(__file__).resolve().parents[1]
    assert [target for target in targets if not (root / target).exists()] == []
