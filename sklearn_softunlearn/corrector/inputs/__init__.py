# SPDX-License-Identifier: BSD-3-Clause
"""What the user gave: rows, groups, parameters, all checked; the fit of the base."""
