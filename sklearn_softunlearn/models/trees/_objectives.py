# SPDX-License-Identifier: BSD-3-Clause
"""Losses and responses that the libraries have in common."""

from sklearn_softunlearn.pointwise import (
    ExponentialResponse,
    HalfBrierLoss,
    HalfSquaredError,
    HalfTweedieDeviance,
    IdentityResponse,
    ProbabilityResponse,
)


def boosted_numbers(distribution):
    """Half deviance of a "normal", "poisson" or "gamma" target."""
    if distribution == "normal":
        return HalfSquaredError(), IdentityResponse()
    power = {"poisson": 1, "gamma": 2}[distribution]
    return HalfTweedieDeviance(power, log_link=True), ExponentialResponse()


def averaged_classes():
    """Brier score of the probabilities, which a leaf's shares minimise."""
    return HalfBrierLoss(), ProbabilityResponse()


def averaged_numbers():
    """Squared error, which a leaf's mean minimises."""
    return HalfSquaredError(), IdentityResponse()
