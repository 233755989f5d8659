# SPDX-License-Identifier: BSD-3-Clause
"""Write the output that pages show below their code anew.

Run ``python doc/refresh_output.py [PAGE ...]`` with the root of the repository on the
path of Python, without names for the README and all pages, when what they print has
changed for a reason. The tests compare the two (``tests/test_documentation.py``) and do
not change a page.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
# A block of Python, and the output shown below it, if any; those in lists show none.
BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?P<between>\n```text\n(?P<shown>.*?)^```\n)?",
    re.DOTALL | re.MULTILINE,
)


def refreshed(text, name):
    """The text of a page with the output that its code prints now."""
    module = ModuleType("page")
    sys.modules["page"] = module  # a class is pickled by the module it is found in

    def run(block):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block["code"], name, "exec"), vars(module))
        if block["between"] is None:
            return block[0]
        return f"```python\n{block['code']}```\n\n```text\n{printed.getvalue()}```\n"

    return BLOCK.sub(run, text)


def main(names):
    pages = [Path(name).resolve() for name in names] or [
        HERE.parent / "README.md",
        HERE / "index.md",
        HERE / "quickstart.md",
        *sorted(HERE.glob("guide/*.md")),
    ]
    for page in pages:
        before = page.read_text(encoding="utf-8")
        if "```text" not in before:
            continue
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            after = refreshed(before, str(page))
        page.write_text(after, encoding="utf-8")
        print(
            f"{os.path.relpath(page)}: {'changed' if after != before else 'as it was'}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
