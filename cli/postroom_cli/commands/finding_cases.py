"""Find a case by what people call it: its id, or its number."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from postroom.errors import Conflict, NotFound

from postroom_cli.stack import Stack

Id = Annotated[str, typer.Argument(metavar="ID|NUMBER", help="The case's id, or its number: Z7QK3-M2P9R.")]


def find_case(stack: Stack, text: str) -> Any:
    """Find a case by its id or number; raises NotFound, or Conflict where two have the number."""
    from postroom.model.case import case_number, parse_case_number

    word = parse_case_number(text)
    if word is not None:
        found = [one for one in stack.cases.of_number(word) if _is_number(case_number(one, len(word)), word)]
        if len(found) > 1:
            told = ", ".join(f"{case_number(one, 15)}" for one in found)
            raise Conflict("two cases have this number", on=text, remedy=f"Give more of it: {told}.")
        if found:
            text = found[0]
    case = stack.cases.get(text)
    if case is None:
        raise NotFound("There is no such case", on=text)
    return case


def _is_number(number: str, word: str) -> bool:
    return number.replace("-", "") == word


def id_of_case(stack: Stack, text: str) -> str:
    """Return the id of a case by its id or number."""
    return str(find_case(stack, text).id)
