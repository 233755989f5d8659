# SPDX-License-Identifier: BSD-3-Clause
"""What to say to a name that is not known: what may be meant, and what there is."""

import difflib

_MANY = 4  # more suggestions than this are a list, not a hint
_ALIKE = 0.65  # two letters of three


def unknown_choice(name, given, choices, others=""):
    """Message for a value that is none of the choices.

    Parameters
    ----------
    name : str
        Of the parameter.
    given : object
    choices : sequence of str or None
    others : str, default=""
        What may be given beside a name, such as "an object such as HAMU()".

    Returns
    -------
    str

    Examples
    --------
    >>> from sklearn_softunlearn.arguments import unknown_choice
    >>> unknown_choice("trees", "join", ("joint", "refit"))
    "trees='join' is not known. Did you mean 'joint'? Give 'joint' or 'refit'."
    >>> unknown_choice("update", dict, ("newton", "hamu"))
    'update=dict is a class. Give an object, dict(...).'
    """
    if isinstance(given, type):
        return class_for_object(name, given)
    known = [repr(choice) for choice in choices] + ([others] if others else [])
    return f"{name}={given!r} is not known.{did_you_mean(given, choices)} Give " + (
        f"{_either(known)}."
    )


def did_you_mean(given, choices):
    """The question for the nearest choices with a space before it, or nothing.

    Examples
    --------
    >>> from sklearn_softunlearn.arguments import did_you_mean
    >>> did_you_mean("Equalised odds", ["equalized_odds_ratio", "loss"])
    " Did you mean 'equalized_odds_ratio'?"
    >>> did_you_mean("parity", ["loss"])
    ''
    """
    near = closest(given, choices)
    return f" Did you mean {_either(map(repr, near))}?" if near else ""


def closest(given, choices):
    """The choices that a name was probably meant to be, the nearest first."""
    wanted = _plain(given) if isinstance(given, str) else ""
    plain = {_plain(choice): choice for choice in choices if isinstance(choice, str)}
    if len(wanted) < 2:
        return []
    # A part of a name first: 'demographic_parity' is nearer to its ratio by letters.
    longer = [choice for name, choice in plain.items() if _within(wanted, name)]
    if longer:
        return longer if len(longer) <= _MANY else []
    near = difflib.get_close_matches(wanted, plain, n=1, cutoff=_ALIKE)
    near = near or [name for name in plain if _within(name, wanted)][:1]
    return [plain[name] for name in near]


def class_for_object(name, given):
    """Message for a class in the place of one of its objects."""
    return f"{name}={given.__name__} is a class. Give an object, {given.__name__}(...)."


def _plain(name):
    return "_".join(name.lower().replace("-", " ").replace("_", " ").split())


def _within(short, long):
    """Whether all words of one name stand in the other, in a row."""
    return f"_{short}_" in f"_{long}_"


def _either(names):
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last
