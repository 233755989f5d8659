# SPDX-License-Identifier: BSD-3-Clause
"""What the command line says beside its result: one line each, on stderr."""

import sys
import warnings
from contextlib import contextmanager


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
    """Print warnings meant for users as single lines, and hide those for developers."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for_users = [w.message for w in caught if issubclass(w.category, UserWarning)]
    for text in dict.fromkeys(one_line(message) for message in for_users):
        notice(f"warning: {text}")


@contextmanager
def values_are_the_users():
    """Report a ValueError as one line: the data or an option was refused."""
    try:
        yield
    except ValueError as error:
        raise CommandError(one_line(error)) from error
