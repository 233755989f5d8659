# SPDX-License-Identifier: BSD-3-Clause
"""Advice that is meant for Python, as what can be typed at a command line.

Remedies come as "(a) Lower delta; (b) raise max_weight." Those that need what no option
gives are left out, and the others name the option.
"""

import re

# Parameters with an option, and whether their name is no word of plain English.
_OPTIONS = {
    "delta": True,
    "utility_tol": True,
    "min_group_size": True,
    "small_groups": True,
    "metric": False,
    "update": False,
    "weighting": False,
}
_NO_OPTION = re.compile(
    r"max_weight|min_weight|X_val|calibrate|curvature|Deletion\(|leave_one_out|bins="
    r"|other rows|base model|scale the features|stronger penalty|\.astype|max_iter"
)
_REMEDIES = re.compile(r"\(a\) .*?\.(?=\s|$)", re.DOTALL)
_LETTER = re.compile(r";?\s*\([a-z]\) ")
_MORE_ROWS = "give a table with more rows"


def in_options(text):
    """A message with the remedies that the command line has, in its words.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> from sklearn_softunlearn.cli._remedies import in_options
    >>> in_options("delta=0.9 is too much. (a) Lower delta; (b) raise max_weight.")
    '--delta 0.9 is too much. Lower --delta.'
    >>> in_options("It fell. (a) Raise utility_tol; (b) measure on more rows (X_val).")
    'It fell. (a) Raise --utility-tol; (b) give a table with more rows.'
    """
    return _named(_REMEDIES.sub(_possible, text)).strip()


def _possible(found):
    remedies = _LETTER.split(found.group()[:-1])[1:]
    remedies = [re.sub("^[Mm]easure on more rows.*", _MORE_ROWS, r) for r in remedies]
    kept = [each for each in remedies if not _NO_OPTION.search(each)]
    if not kept:
        return ""
    kept[0] = kept[0][0].upper() + kept[0][1:]
    if len(kept) == 1:
        return f"{kept[0]}."
    lettered = zip("abcdefgh", kept, strict=False)
    return "; ".join(f"({letter}) {each}" for letter, each in lettered) + "."


def _named(text):
    for name, no_word in _OPTIONS.items():
        option = f"--{name.replace('_', '-')}"
        given = rf"(?<![\w.-]){name}='?([^\s',;]+?)'?(?=[\s,;.]|$)(?!\.\d)"
        text = re.sub(given, rf"{option} \1", text)
        if no_word:
            text = re.sub(rf"(?<![\w-]){name}(?![\w=])", option, text)
    return text
