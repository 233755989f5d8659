# SPDX-License-Identifier: BSD-3-Clause
"""Colours and layout. Every rule is about what is inside ``.softunlearn-audit``."""

# Text on its background has a contrast of at least 4.5, what is drawn of at least 3
# (tests/auditing/test_page.py computes it).
LIGHT = {
    "fg": "#1b1f24",
    "bg": "#ffffff",
    "card": "#f4f6f8",
    "muted": "#555e68",
    "line": "#ccd3da",
    "before": "#a05a00",
    "after": "#0a5bb0",
    "bad": "#b3261e",
    "link": "#0a5bb0",
}
DARK = {
    "fg": "#e6edf3",
    "bg": "#0f1419",
    "card": "#1a2129",
    "muted": "#a8b3bf",
    "line": "#3d4651",
    "before": "#f0a94a",
    "after": "#6cb6ff",
    "bad": "#ff958c",
    "link": "#6cb6ff",
}

_RULES = """
@ { background: var(--bg); color: var(--fg); color-scheme: light dark;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  margin: 0 auto; max-width: 56rem; padding: 1rem; overflow-wrap: break-word; }
@ h1, @ h2, @ h3 { color: var(--fg); }
@ h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
@ h2 { border-top: 1px solid var(--line); font-size: 1.25rem; line-height: 1.3;
  margin: 2.2rem 0 0.6rem; padding-top: 1.2rem; }
@ h3 { font-size: 1.05rem; margin: 1.4rem 0 0.4rem; }
@ p, @ ul, @ dl { margin: 0.5rem 0; max-width: 44rem; }
@ ul { padding-left: 1.2rem; }
@ li { margin: 0.3rem 0; }
@ a { color: var(--link); }
@ .muted, @ small, @ figcaption { color: var(--muted); }
@ .summary { background: var(--card); border-left: 4px solid var(--after);
  padding: 0.6rem 1rem; }
@ .summary ul { margin: 0.2rem 0; }
@ nav ul { display: flex; flex-wrap: wrap; gap: 0.3rem 1.1rem; list-style: none;
  padding: 0; max-width: none; }
@ nav li { margin: 0; }
@ nav a { display: inline-block; padding: 0.25rem 0; }
@ .scroll { margin: 0.8rem 0; overflow-x: auto; }
@ table { border-collapse: collapse; font-size: 0.92rem;
  font-variant-numeric: tabular-nums; width: 100%; color: var(--fg); }
@ caption { color: var(--muted); padding-bottom: 0.3rem; text-align: left; }
@ th, @ td { background: var(--bg); border-bottom: 1px solid var(--line);
  color: var(--fg); padding: 0.35rem 0.5rem; text-align: right; vertical-align: top; }
@ th:first-child { text-align: left; padding-left: 0; }
@ tbody th { font-weight: 400; }
@ thead th, @ .heading th { font-weight: 600; }
@ .heading th { border-bottom: 0; padding-top: 0.9rem; }
@ .heading small { font-weight: 400; }
@ td small, @ th small { display: block; }
@ td small { white-space: nowrap; }
@ .worse { color: var(--bad); }
@ td:has(code), @ table:has(td code) thead th { text-align: left; }
@ details { margin: 0.8rem 0; }
@ summary { color: var(--link); cursor: pointer; padding: 0.3rem 0; }
@ dt { font-weight: 600; margin-top: 0.6rem; }
@ dd { margin: 0; }
@ code { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace;
  font-size: 0.86em; overflow-wrap: anywhere; }
@ th code { overflow-wrap: normal; }
@ thead tr:has(th:nth-child(6)) th:nth-child(n+5) { min-width: 5rem;
  overflow-wrap: anywhere; }
@ figure { margin: 1rem 0; max-width: 34rem; }
@ figcaption { font-size: 0.9rem; }
@ .plots { display: grid; gap: 0.5rem 1.2rem;
  grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
@ .plots figure { margin: 0.4rem 0; }
@ svg { display: block; height: auto; width: 100%; }
@ svg text { fill: var(--fg); font-family: inherit; font-size: 12px;
  paint-order: stroke; stroke: var(--bg); stroke-width: 3px; }
@ svg .tick { fill: var(--muted); font-size: 11px; }
@ svg .grid { stroke: var(--line); stroke-width: 1; }
@ svg .axis { stroke: var(--muted); stroke-width: 1; }
@ svg .span { stroke: var(--muted); stroke-width: 1; }
@ svg .line { fill: none; stroke-width: 2; }
@ svg .bar { stroke-width: 2; }
@ svg .before { fill: var(--bg); stroke: var(--before); stroke-width: 2; }
@ svg .after { fill: var(--after); stroke: var(--after); stroke-width: 2; }
@ svg .line.before, @ svg .line.after { fill: none; }
@ svg .line.before { stroke-dasharray: 5 3; }
@ svg .chosen { fill: none; stroke: var(--fg); stroke-width: 2; }
@ svg .share { fill: var(--after); }
@ svg .equal { stroke: var(--muted); stroke-dasharray: 2 3; stroke-width: 1; }
@media screen and (max-width: 32rem) {
@ table { font-size: 0.86rem; }
@ th, @ td { padding: 0.3rem 0 0.3rem 0.35rem; }
@ thead th { font-size: 0.74rem; }
@ th code { overflow-wrap: anywhere; }
@ td small { white-space: normal; }
}
"""
_PAPER = """
@media print {
@ { font-size: 10.5pt; max-width: none; padding: 0; }
@ nav { display: none; }
@ h2, @ h3, @ caption, @ thead, @ .heading { break-after: avoid; }
@ figure, @ tr { break-inside: avoid; }
@ .scroll { overflow: visible; }
@ details::details-content { content-visibility: visible; display: block; }
}
"""
_ROOT = ".softunlearn-audit"


def style():
    """The style sheet of the page."""
    return "".join(
        [
            _variables(LIGHT),
            # Paper is light whatever the screen is.
            f"@media screen and (prefers-color-scheme: dark) {{{_variables(DARK)}}}",
            _rooted(_RULES),
            _rooted(_PAPER),
        ]
    )


def _variables(colors):
    inside = " ".join(f"--{name}: {value};" for name, value in colors.items())
    return f"\n{_ROOT} {{ {inside} }}\n"


def _rooted(rules):
    """With the class that the rules are about in the place of a lone @."""
    return rules.replace("@ ", f"{_ROOT} ")
