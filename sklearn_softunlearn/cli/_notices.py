# SPDX-License-Identifier: BSD-3-Clause
"""What the command line says beside its result: one line each, on stderr."""

import sys
import warnings
from contextlib import contextmanager

from sklearn_softunlearn.cli._remedies import in_options


class CommandError(Exception):
    """The command cannot go on, and one line says why and what to do."""


def notice(text):
    """Print a remark that is not part of the result."""
    print(text, file=sys.stderr)


def one_line(error):
    """First line of what an exception or a warning says."""
    return (str(error) or type(error).__name__).strip().splitlines()[0]


@contextmanager
def warnings_as_notices():
    """Print warnings meant for users as single lines, and hide those for developers.

    Yields a list that holds them at the end, each with its category and message.
    """
    said = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    for_users = [w for w in caught if issubclass(w.category, UserWarning)]
    for warning in for_users:
        text = in_options(one_line(warning.message))
        found = {"category": warning.category.__name__, "message": text}
        if found not in said:
            said.append(found)
            notice(f"warning: {text}")


@contextmanager
def values_are_the_users():
    """Report a ValueError as one line: the data or an option was refused."""
    try:
        yield
    except ValueError as error:
        raise CommandError(in_options(one_line(error))) from error
