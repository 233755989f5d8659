# SPDX-License-Identifier: BSD-3-Clause
"""Before, predicted and after; what went wrong and what to do about it."""
