# SPDX-License-Identifier: BSD-3-Clause
"""Which parameters of a net are corrected, and the model that represents them."""

import numpy as np
from sklearn.base import is_classifier

from sklearn_softunlearn.arguments import unknown_choice
from sklearn_softunlearn.models.skorch._last_layer import LastLayerModel
from sklearn_softunlearn.models.skorch._module import ModuleModel
from sklearn_softunlearn.models.skorch._net import (
    check_finite,
    check_output_shape,
    explained,
)
from sklearn_softunlearn.models.skorch._rows import as_rows, labels_of

_LAYERS = ("last", "all", "lora")
_PARAMETERS = (
    "a list of names or patterns of parameters, such as ['fc.weight', 'fc.bias']"
)


class NetLayer:
    """Maker of trained models for one choice of parameters.

    Parameters
    ----------
    layer : "last", "all", "lora" or list of str
        The last linear layer; all trained parameters; the factors that peft adds; or
        parameters by name or pattern (``*`` stands for anything), as in
        ``module_.named_parameters()``.

    Raises
    ------
    ValueError
        If ``layer`` is none of these.
    """

    fits_sample_weight = False
    # Nets are strict about dtypes: float32 and integers stay what they are.
    array_options = {"accept_sparse": False, "dtype": None, "allow_nd": True}

    def __init__(self, layer):
        self.layer = layer
        if isinstance(layer, str) and layer not in _LAYERS:
            raise ValueError(unknown_choice("layer", layer, _LAYERS, _PARAMETERS))

    def __call__(self, net, X, y, sample_weight):
        """The trained model of a fitted net; X as `embed` returns it."""
        check_finite(net)
        if self._is_last():
            return LastLayerModel(net, X, y, sample_weight)
        return ModuleModel(net, X, y, sample_weight, self.layer)

    def untrained_on(self, net, X, y):
        """The model of a fitted net on rows that it was not trained on."""
        # Without train_split, which might not be repeatable on other rows. Not
        # copy(net), which would serialise the net.
        view = object.__new__(type(net))
        vars(view).update(vars(net) | {"train_split": None})
        return self(view, X, y, np.ones(len(y)))

    def check_rows(self, X):
        """Raise TypeError unless X is an array, a dict of arrays or a Dataset."""
        as_rows(X)

    def indexable(self, X, y):
        """X in a form whose rows can be taken, and y, if need be that of a Dataset."""
        return as_rows(X), labels_of(X) if y is None else y

    def keeps_target_column(self, net):
        """A regressor's criterion compares shapes: y stays as it is given."""
        return not is_classifier(net)

    def check_fit(self, net, X, y):
        """Raise ValueError if a regressor's criterion compared all pairs of rows.

        Or if the net diverged.
        """
        check_finite(net)
        if not is_classifier(net):
            check_output_shape(net, X, y)

    def explained(self, net, error, X, y):
        """What to do about an error that a fit ended in, or None."""
        return explained(net, error, X, y)

    def embed(self, net, X):
        """What the corrected parameters see of X: features before the last layer."""
        X = as_rows(X)
        check_finite(net)
        return LastLayerModel.embed(net, X) if self._is_last() else X

    def _is_last(self):
        return isinstance(self.layer, str) and self.layer == "last"
