# SPDX-License-Identifier: BSD-3-Clause
"""What an installed package must be able to do, with no source tree beside it."""

import re
import sys
from importlib.metadata import metadata, packages_distributions, version
from importlib.resources import files
from pathlib import Path

import numpy as np
from fairlearn.metrics import demographic_parity_difference
from sklearn.linear_model import LogisticRegression
from skops.io import dumps, get_untrusted_types, loads

import sklearn_softunlearn
from sklearn_softunlearn import SoftUnlearnCorrector, audit
from sklearn_softunlearn.datasets import make_biased_classification

package = Path(sklearn_softunlearn.__file__).parent
assert package.is_relative_to(sys.prefix), f"{package} is not the installed one"
assert version("sklearn_softunlearn") == sklearn_softunlearn.__version__
# The page on PyPI has no files beside it to link to.
description = metadata("sklearn_softunlearn")["Description"]
assert "# sklearn_softunlearn" in description
assert not re.findall(r"\]\((?!https?:)", description)
assert files("sklearn_softunlearn").joinpath("py.typed").is_file()
# Folders beside the package must not have been packed with it.
packed = [
    name
    for name, owners in packages_distributions().items()
    if any(owner.replace("-", "_") == "sklearn_softunlearn" for owner in owners)
]
assert packed == ["sklearn_softunlearn"], packed
for name in sklearn_softunlearn.__all__:
    assert getattr(sklearn_softunlearn, name).__doc__, name

X, y, group = make_biased_classification(2000, random_state=0)
corrector = SoftUnlearnCorrector(LogisticRegression(), delta=0.5)
corrector.fit(X, y, sensitive_features=group)
gaps = [
    demographic_parity_difference(y, model.predict(X), sensitive_features=group)
    for model in (corrector.base_estimator_, corrector)
]
assert gaps[1] < 0.75 * gaps[0], gaps

saved = dumps(corrector.estimator_)
assert get_untrusted_types(data=saved) == []
np.testing.assert_array_equal(loads(saved).predict(X), corrector.predict(X))

page = audit(corrector, X, y, sensitive_features=group, n_bootstrap=50).to_html()
assert page.startswith("<!") and "<script src" not in page
print(f"sklearn_softunlearn {sklearn_softunlearn.__version__} works from {package}")
