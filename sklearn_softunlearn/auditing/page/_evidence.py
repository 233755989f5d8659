# SPDX-License-Identifier: BSD-3-Clause
"""Curves, deleted rows and provenance; one function for each section."""

from sklearn_softunlearn.auditing.page import _draw as draw
from sklearn_softunlearn.auditing.page._format import count, number, share, span, tick
from sklearn_softunlearn.auditing.page._html import (
    details,
    element,
    figure,
    paragraph,
    table,
    text,
)
from sklearn_softunlearn.auditing.page._words import capital, terms, title

_MEASURED = ("metric", "utility")
_WHAT_IS_CALIBRATED = {
    "binary": "Of the people with a score of about 70 %, about 70 % should be "
    "positive.",
    "multiclass": "Of the answers with a probability of about 70 %, about 70 % should "
    "be right.",
    "regression": "Where 10 is predicted, the truth should be about 10.",
}


def tradeoff(document):
    """The curve that the chosen model is one point of."""
    given = document["tradeoff"]
    if given is None:
        return ""
    names = given["metric"], given["utility"]
    points = [(p["metric"], p["utility"]) for p in given["points"]]
    spans = [tuple(_ends(p, of) for of in _MEASURED) for p in given["points"]]
    before, chosen = marked = [
        (given[key]["metric"], given[key]["utility"]) for key in ("before", "chosen")
    ]
    shown = [lambda value, name=name: number(value, name) for name in names]
    ticks = [lambda value, name=name: tick(value, name) for name in names]
    said = (
        f"{title(names[1])} against {title(names[0])}: {shown[1](before[1])} at "
        f"{shown[0](before[0])} before, {shown[1](chosen[1])} at {shown[0](chosen[0])} "
        "for the chosen model"
    )
    titles = title(names[0]), title(names[1])
    drawing = draw.curve(points, marked, spans, titles, said, ticks)
    rows = [
        (
            text(f"{p['delta']:.2g}"),
            *(_with_span(p, *of) for of in zip(_MEASURED, names, strict=True)),
        )
        for p in given["points"]
    ]
    known = any(end is not None for of in spans for ends in of for end in ends)
    key = "Hollow: before. Ring: the chosen model." + known * " Thin lines: intervals."
    return "".join(
        [
            paragraph(
                "Each dot is a model that was asked for another fraction of the way to "
                "parity. A better gap usually costs something."
            ),
            figure(drawing, key),
            details(
                "The curve as a table",
                table(
                    "Candidates on the held-out rows",
                    ("Fraction asked", title(names[0]), title(names[1])),
                    [(None, rows)],
                ),
            ),
        ]
    )


def _ends(point, of):
    """Interval of a point; (None, None) in documents of schema 1.0."""
    return point.get(f"{of}_low"), point.get(f"{of}_high")


def _with_span(point, of, name):
    """A number and, below, its interval."""
    low, high = _ends(point, of)
    below = span({"low": low, "high": high}, name)
    return text(number(point[of], name)) + (below and element("small", text(below)))


def calibration(document):
    """Predicted against observed, a drawing for each group."""
    curves = document["calibration"]
    if not curves:
        return ""
    regression = document["task"] == "regression"
    unit = "mean_prediction" if regression else "selection_rate"
    drawings = []
    for group in dict.fromkeys(curve["group"] for curve in curves):
        pair = [c for c in curves if c["group"] == group]
        who = "All rows" if group is None else str(group)
        drawn = [(c["model"], [_place(p) for p in c["points"]]) for c in pair]
        said = f"Calibration of {who}. " + " ".join(_said(c, unit) for c in pair)
        drawing = draw.calibration(drawn, said, lambda value: tick(value, unit))
        drawings.append(figure(drawing, who, above=True))
    across, up = (
        ("mean prediction", "mean truth")
        if regression
        else ("mean score", "share observed")
    )
    return paragraph(
        f"{_WHAT_IS_CALIBRATED[document['task']]} Across: {across}; up: {up}; on the "
        "dotted line they are equal. Hollow and dashed: before. Filled: after. Upright "
        "lines are intervals."
    ) + element("div", *drawings, class_="plots")


def _added(given):
    if not given["added_mass"]:
        return ""
    part = share(given["added_mass"] / given["total_mass"])
    return f" Other rows count more than they did, by {part} of the total weight."


def deletion(document):
    """Whose rows were deleted, and which most of all."""
    given = document["deletion"]
    if given is None:
        return ""
    parts = [
        paragraph(
            "The correction moves the model as if a part of the weight of some "
            f"training rows had never been there: {share(given['share'])} of the total "
            f"weight, spread over {count(given['n_touched'])} of "
            f"{count(given['n_rows'])} rows. The largest share of a single row is "
            f"{share(given['largest_weight'])}." + _added(given)
        )
    ]
    if given["mass"] is None:
        parts.append(
            paragraph("Whose rows these are was not recorded: the audit was made "
                      "without the training rows.")
        )  # fmt: skip
        return "".join(parts)
    kind = "target" if document["task"] == "regression" else "label"
    return "".join([*parts, _mass(given["mass"], kind), _largest(given["largest"])])


def provenance(document):
    """What it takes to repeat the audit."""
    given = document["provenance"]
    data = given["data"]
    facts = {
        "Date": given["created"],
        "Held-out rows": _data(data["held_out"]),
        "Training rows": "not recorded"
        if data["training"] is None
        else _data(data["training"]),
        "Versions": ", ".join(f"{k} {v}" for k, v in given["versions"].items()),
        "Seeds": _seeds(given["seeds"]),
        "Schema": f"{document['schema']['name']} {document['schema']['version']}",
    }
    listed = "".join(
        element("dt", text(k)) + element("dd", element("code", text(v)))
        for k, v in facts.items()
        if v
    )
    tables = [_parameters(*each) for each in given["parameters"].items()]
    return element("dl", listed) + details("All parameters", *tables)


def glossary(document):
    """What the names mean, of those that occur."""
    names = [m["name"] for part in ("overall", "metrics") for m in document[part]]
    listed = "".join(
        element("dt", text(capital(term))) + element("dd", text(said))
        for term, said in terms(names)
    )
    return details("All terms", element("dl", listed))


def _place(point):
    return point["predicted"], point["observed"], point["low"], point["high"]


def _said(curve, unit):
    first, last = curve["points"][0], curve["points"][-1]
    ends = " to ".join(
        f"{number(p['observed'], unit)} where {number(p['predicted'], unit)} is "
        "predicted"
        for p in (first, last)
    )
    return f"{curve['model'].capitalize()}: {ends}."


def _mass(mass, kind):
    def named(m):
        return f"{m['group']}, {kind} {m['label']}"

    bars = [(named(m), m["share"]) for m in mass]
    said = "Share deleted: " + "; ".join(f"{who} {share(part)}" for who, part in bars)
    rows = [
        (
            text(named(m)),
            text(count(m["total"])),
            text(f"{m['deleted']:.1f}"),
            text(share(m["share"])),
        )
        for m in mass
    ]
    shown = share, lambda value: tick(value, "selection_rate")
    drawing = draw.bars(bars, said, shown)
    caption = f"Share of the rows of each group and {kind} that was deleted."
    return figure(drawing, caption) + table(
        f"Rows deleted, by group and {kind}",
        (f"Group and {kind}", "Rows", "Deleted", "Share"),
        [(None, rows)],
    )


def _largest(rows):
    if not rows:
        return ""
    features = list(rows[0]["features"])
    body = [
        (
            text(row["index"]),
            text(share(row["deletion_weight"])),
            text(row["group"]),
            text(row["label"]),
            *(text(_value(row["features"][name])) for name in features),
        )
        for row in rows
    ]
    header = ("Row", "Deleted", "Group", "Label", *features)
    return details(
        f"The {len(rows)} rows with the largest weights",
        table("Single rows, by their weight", header, [(None, body)]),
    )


def _value(value):
    return number(value) if isinstance(value, float) else value


def _data(found):
    return (
        f"{count(found['rows'])} rows, {found['columns']} columns, SHA-256 "
        f"{found['sha256']}"
    )


def _seeds(seeds):
    """Those that are set."""
    known = [f"{name} = {value}" for name, value in seeds.items() if value != "None"]
    return ", ".join(known)


def _parameters(model, named):
    rows = [
        tuple(element("code", text(each)) for each in pair) for pair in named.items()
    ]
    return table(f"Parameters: {model}", ("Parameter", "Value"), [(None, rows)])
