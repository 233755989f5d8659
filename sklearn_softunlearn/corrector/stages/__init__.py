# SPDX-License-Identifier: BSD-3-Clause
"""The stages of a correction, one after the other, each as functions of arrays."""
