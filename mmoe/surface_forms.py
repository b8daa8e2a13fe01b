"""Where a mention's surface form stands in a text: the one rule of encoder, prompts and report."""

from __future__ import annotations

import re


def find_surface_form(text: str, surface_form: str) -> tuple[int, int] | None:
    """The first place of a surface form in a text.

    An exact whole word is looked for first, then an exact part of a word, then a whole word in any case,
    then a part of a word in any case.

    Returns:
        Start and end in characters; None if it stands nowhere, or is empty.
    """
    if not surface_form.strip():
        return None
    literal = re.escape(surface_form)
    whole = rf"(?<!\w){literal}(?!\w)"
    for flags in (re.NOFLAG, re.IGNORECASE):
        for pattern in (whole, literal):
            if found := re.search(pattern, text, flags):
                return found.span()
    return None
