"""The form of a day: which activities were filled in, and what is wrong with them."""

from __future__ import annotations

from functools import partial
from typing import Final

from wattproof.console.filled import Filled
from wattproof.core.errors import Conflict, ErrorCode, Lang, Malformed
from wattproof.emissions.people.activities import (
    DIET,
    Activity,
    Declared,
    activities,
    activity,
    count,
    parse_amount,
)

__all__ = ["DIET_FIELD", "ONE_DAY", "counted", "field_of"]

DIET_FIELD: Final = "diet"
ONE_DAY: Final = 1000
"""A diet's amount: a day, in thousandths."""

NO_DIET = ErrorCode(
    Malformed,
    "people.diet",
    en="{diet!r} is not one of the diets.",
    zh="“{diet}”不是可选的饮食类型。",
)
BOTH = ErrorCode(
    Conflict,
    "people.diet_and_food",
    en="A diet stands for all that was eaten in a day: give either the diet or single foods,"
    " else food counts twice.",
    zh="饮食类型已代表一天的全部食物：请只填饮食类型或只填单项食品，否则食物会重复计算。",
)
NOTHING = ErrorCode(
    Malformed,
    "people.nothing",
    en="Nothing is filled in yet: a day has one activity at least.",
    zh="尚未填写任何内容：一天至少要有一项活动。",
)


def field_of(one: Activity) -> str:
    """The name of an activity's field in the form."""
    return f"a-{one.id}"


def counted(form: Filled, lang: Lang) -> Declared:
    """What the form comes to. Raises `Refused`, with every wrong field noted in the form."""
    amounts: list[tuple[Activity, int]] = []
    foods = 0
    for one in activities():
        if one.group == DIET:
            if form[DIET_FIELD] == one.id:
                amounts.append((one, ONE_DAY))
        elif form[field_of(one)]:
            amount = form.take(field_of(one), partial(parse_amount, of=one, lang=lang))
            foods += one.group == "food"
            amounts.append((one, amount))
    form.take(DIET_FIELD, partial(_diet, foods=foods), needed=False)
    form.finish()
    if not amounts:
        raise NOTHING()
    return count(amounts)


def _diet(chosen: str, *, foods: int) -> str:
    found = activity(chosen)
    if chosen and (found is None or found.group != DIET):
        raise NO_DIET(diet=chosen[:40])
    if chosen and foods:
        raise BOTH()
    return chosen
