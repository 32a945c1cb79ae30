"""A form as somebody filled it in: read field by field, and shown again with what is wrong.

    form = await Filled.of(request)
    try:
        id_, key = form.take("id", check_id), form.take("key", public_of)
        form.finish()
        body = form.bounded(RegisterParty(id=id_, key=key))
    except Refused as refusal:
        return page(form.refused(refusal))

What was typed is kept, every field that cannot be taken is named at once, and a refusal that is
about no field stands above the form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar, cast

import msgspec
from litestar import Request
from litestar.datastructures import UploadFile

from wattproof.core.errors import ErrorCode, Lang, Malformed, Refused, WattProofError
from wattproof.ledger.transaction import Body

__all__ = ["Filled"]

FIELD = ErrorCode(
    Malformed,
    "console.field",
    en="This is too long, or holds characters that cannot be kept.",
    zh="内容过长，或含有不能保存的字符。",
)
NEEDED = ErrorCode(
    Malformed, "console.field_needed", en="This has to be filled in.", zh="此项必须填写。"
)

_PATH: Final = re.compile(r"at `\$(?:.*[.\]])?\.?([a-z_0-9]+)(?:\[[^]]*\])?`$")
"""The field at the end of the path in msgspec's error."""

_EMPTY: Final[Mapping[str, Any]] = {}

B = TypeVar("B", bound=Body)
T = TypeVar("T")


class Filled:
    """The texts of a form by field, its files, and the refusals of fields and of the whole."""

    def __init__(
        self,
        texts: Mapping[str, str | tuple[str, ...]] = _EMPTY,
        files: Mapping[str, UploadFile] = _EMPTY,
    ) -> None:
        self.texts: Final = {
            name: (text,) if isinstance(text, str) else text for name, text in texts.items()
        }
        self._files = dict(files)
        self._refusals: dict[str, WattProofError] = {}
        self.refusal: WattProofError | None = None

    @classmethod
    async def of(cls, request: Request[Any, Any, Any]) -> Filled:
        """The form that a request carries."""
        texts: dict[str, tuple[str, ...]] = {}
        files: dict[str, UploadFile] = {}
        for name, value in (await request.form()).multi_items():
            if isinstance(value, UploadFile):
                files[name] = value
            elif isinstance(value, str):
                texts[name] = (*texts.get(name, ()), value)
        return cls(texts, files)

    def __getitem__(self, name: str) -> str:
        """What was typed into a field, without blanks around it; nothing is an empty text."""
        found = self.texts.get(name)
        return found[0].strip() if found else ""

    def secret(self, name: str) -> str:
        """A password exactly as it was typed."""
        found = self.texts.get(name)
        return found[0] if found else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Everything that was chosen in a field of several choices."""
        return self.texts.get(name, ())

    def shown(self, name: str, first: str = "") -> str:
        """What stands in a field: what was typed, or `first` where the form was not sent yet."""
        return self[name] if name in self.texts else first

    def file(self, name: str) -> UploadFile | None:
        """A file that was handed in, if one was chosen."""
        found = self._files.get(name)
        return found if found is not None and found.filename else None

    def take(self, name: str, check: Callable[[str], T], *, needed: bool = True) -> T:
        """What `check` makes of a field; its refusal is noted, for `finish` to raise.

        Where something is noted, what is given back must not be used. `needed` says that the
        field must not be empty; if it may be, `check` is given the empty text too.
        """
        try:
            if needed and not self[name]:
                raise NEEDED()
            return check(self[name])
        except Refused as refusal:
            self._refusals.setdefault(name, refusal)
            return cast("T", None)

    def finish(self) -> None:
        """Raise the first refusal that was noted, if there is any."""
        for refusal in self._refusals.values():
            raise refusal

    def bounded(self, body: B) -> B:
        """`body`, whose fields are checked to be within the bounds of their types."""
        self.finish()
        plain = msgspec.to_builtins(body, builtin_types=(bytes,))
        try:
            return msgspec.convert(plain, type(body), builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            refusal = FIELD()
            found = _PATH.search(str(error))
            if found is not None and found[1] in self.texts:
                self._refusals[found[1]] = refusal
            raise refusal from None

    def refused(self, refusal: WattProofError, at: Mapping[str, str] | None = None) -> Filled:
        """This form, to be shown again with `refusal`.

        `at` says which codes are about which field.
        """
        if refusal not in self._refusals.values():
            field = (at or {}).get(refusal.code)
            if field is None:
                self.refusal = refusal
            else:
                self._refusals[field] = refusal
        return self

    @property
    def first(self) -> WattProofError | None:
        """The refusal to be shown where the form itself is not offered any more."""
        return self.refusal or next(iter(self._refusals.values()), None)

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows the form."""
        return self.first.http_status if self.first else 200

    def why(self, name: str, lang: Lang) -> tuple[str, str] | None:
        """Why a field was refused: the sentence and its code."""
        refusal = self._refusals.get(name)
        return None if refusal is None else (refusal.text(lang), refusal.code)
