# SPDX-License-Identifier: BSD-3-Clause
"""The audit as one page of HTML or a model card, from its dictionary alone.

Rule of the room: a section is a function of the dictionary that returns HTML, "" where
there is nothing to show, and a line in the list of ``_page.py``. Everything that comes
from the data of a user goes through `_html.text`; colours are variables of
``_style.py``, of which each has a light and a dark value.
"""

from sklearn_softunlearn.auditing.page._card import model_card
from sklearn_softunlearn.auditing.page._page import fragment, page
from sklearn_softunlearn.auditing.page._words import in_short

__all__ = ["fragment", "in_short", "model_card", "page"]
