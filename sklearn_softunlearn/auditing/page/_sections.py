# SPDX-License-Identifier: BSD-3-Clause
"""Groups, gaps and what was asked; one function for each section."""

from sklearn_softunlearn.auditing.page import _draw as draw
from sklearn_softunlearn.auditing.page._format import (
    cell,
    change,
    count,
    number,
    share,
    tick,
)
from sklearn_softunlearn.auditing.page._html import (
    details,
    element,
    figure,
    items,
    paragraph,
    table,
    text,
)
from sklearn_softunlearn.auditing.page._words import (
    capital,
    driver,
    in_short,
    meaning,
    title,
)

_CHANGE = ("Before", "After", "Change")
# Metrics that are shown at once; the others on demand.
_OPEN_METRICS = 6
_OPEN_HARM = 8


def summary(document):
    """What happened, in a few sentences."""
    return element("div", items(in_short(document)), class_="summary")


def groups(document):
    """Every quantity, group by group, and of all rows."""
    shown = document["by_group"] or document["overall"]
    return "".join(
        [
            _group_figure(document),
            paragraph(_how_sure(document)),
            table(
                "Each group before and after",
                ("Group", *_CHANGE),
                [_quantity(document, key) for key in dict.fromkeys(map(_key, shown))],
            ),
        ]
    )


def gaps(document):
    """Metrics that compare the groups, and the groups that they come from."""
    metrics = document["metrics"]
    if not metrics:
        return ""
    parts = [
        paragraph(
            "One number for how far the groups are apart. The groups that it comes "
            "from are below each name."
        ),
        _metric_table("Gaps between groups", metrics[:_OPEN_METRICS]),
    ]
    if len(metrics) > _OPEN_METRICS:
        rest = _metric_table("Other metrics of groups", metrics[_OPEN_METRICS:])
        n = len(metrics) - _OPEN_METRICS
        parts.append(details(f"{n} more metrics of groups", rest))
    return "".join(parts)


def promise(document):
    """Asked, predicted and realised, on the rows that chose the weights."""
    request, given = document["request"], document["promise"]
    if request is None:
        return ""
    settings = [
        f"To improve: {title(request['metric'])}. To keep: {request['utility']}.",
        f"Fraction of the way to parity: {share(request['delta'])} "
        f"({request['delta_was']}); known to be within reach: "
        f"{share(request['delta_max'])}.",
        f"Weights: {request['weighting']}; update: {request['update']}; outcome: "
        f"{request['status']}.",
    ]
    rows = [
        (
            text(capital(title(line["name"]))) + element("small", text(line["kind"])),
            *(
                text(number(line[k], line["name"]))
                for k in ("before", "asked", "predicted", "after")
            ),
        )
        for line in given["lines"]
    ]
    return "".join(
        [
            items(settings),
            paragraph(
                f"The table is about the {count(given['n'])} {given['rows']} that "
                "chose the weights. All other tables of this page are about rows that "
                "were kept apart, and they are what counts."
            ),
            table(
                "What was asked, predicted and reached where the weights were chosen",
                ("Figure", "Before", "Asked", "Predicted", "Reached"),
                [(None, rows)],
            ),
        ]
    )


def got_worse(document):
    """What nobody asked for and got worse."""
    worse = document["got_worse"]
    if not worse:
        return paragraph("Nothing that is measured here got worse.")
    parts = [
        paragraph(
            "Everything that this page measures, that was not asked to change, and "
            "that moved in the direction that is worse; first what is beyond chance, "
            "then the largest."
        ),
        _harm_table("What got worse", worse[:_OPEN_HARM]),
    ]
    if len(worse) > _OPEN_HARM:
        rest = _harm_table("What else got worse", worse[_OPEN_HARM:])
        parts.append(details(f"{len(worse) - _OPEN_HARM} more", rest))
    return "".join(parts)


def notes(document):
    """What looks wrong, with the remedies."""
    found = document["notes"]
    return items(found) if found else ""


def _group_figure(document):
    """The first quantity of the metric asked for, drawn for each group."""
    key = _key_of_figure(document)
    rows = [
        (each["group"], each["before"], each["after"])
        for each in document["by_group"]
        if _key(each) == key
    ]
    if not rows:
        return ""
    name = key[0]
    words = title(name) + (f" of class {key[1]}" if key[1] else "")
    alternative = f"{words} by group. " + "; ".join(
        f"{group}: {number(before['value'], name)} before, "
        f"{number(after['value'], name)} after"
        for group, before, after in rows
    )
    drawing = draw.dots(rows, alternative, lambda value: tick(value, name))
    return figure(
        drawing,
        f"{capital(words)} of each group: hollow before, filled after; "
        "lines are intervals.",
    )


def _key_of_figure(document):
    """Quantity to draw: what the metric compares, else the first."""
    keys = [_key(each) for each in document["by_group"]]
    asked = [m["name"] for m in document["metrics"] if m["asked"]]
    for name in asked:
        for key in keys:
            if name.startswith(key[0]):
                return key
        if name.startswith(("equalized_odds", "equal_opportunity")):
            return next(k for k in keys if k[0] == "true_positive_rate")
    return keys[0] if keys else None


def _key(measurement):
    return measurement["name"], measurement["class"]


def _quantity(document, key):
    """Heading and rows of one quantity."""
    name, of_class = key
    words = title(name) + (f", class {of_class}" if of_class else "")
    heading = text(capital(words)) + element("small", text(meaning(name, of_class)))
    measured = [m for m in document["by_group"] if _key(m) == key]
    measured += [m for m in document["overall"] if _key(m) == key]
    return heading, [(_who(m), *_cells(m)) for m in measured]


def _who(measurement):
    group = "All rows" if measurement["group"] is None else measurement["group"]
    n = f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{count(measurement['n'])}"
    return text(group) + element("small", n)


def _cells(measurement):
    name = measurement["name"]
    moved = cell(measurement["change"], name, change)
    if measurement["worse"]:
        moved = element("span", moved, class_="worse")
    return cell(measurement["before"], name), cell(measurement["after"], name), moved


def _metric_table(caption, metrics):
    rows = [(_metric_name(m), *_cells(m)) for m in metrics]
    return table(caption, ("Metric", *_CHANGE), [(None, rows)])


def _metric_name(measurement):
    words = title(measurement["name"])
    asked = " (asked for)" if measurement["asked"] else ""
    drivers = measurement["drivers"]
    lines = [text(f"{capital(words)}{asked}")]
    if drivers.get("before") and drivers.get("before") == drivers.get("after"):
        lines.append(element("small", text(driver(drivers["before"]))))
    else:
        lines += [
            element("small", text(f"{when}: {driver(drivers[when])}"))
            for when in ("before", "after")
            if drivers.get(when)
        ]
    return "".join(lines)


def _harm_table(caption, worse):
    rows = []
    for each in worse:
        words = title(each["name"]) + (
            f", class {each['class']}" if each["class"] else ""
        )
        if each["part"] != "metrics":
            words += f": {each['group'] or 'all rows'}"
        sure = {True: "beyond chance", False: "may be chance", None: ""}
        label = text(capital(words))
        rows.append(
            (label + element("small", text(f" {sure[each['beyond_noise']]}")),
             *_cells(each))
        )  # fmt: skip
    return table(caption, ("Metric", *_CHANGE), [(None, rows)])


def _how_sure(document):
    level = document["confidence_level"]
    if not document["n_bootstrap"]:
        return "Shares are in per cent, their changes in points."
    return (
        f"Below each number is its interval: in about {100 * level:.0f} of 100 such "
        "samples it would hold the number of the population. A change whose interval "
        "holds 0 may be chance. Of many figures that did not change, about "
        f"{100 - 100 * level:.0f} in 100 look as if they had."
    )
