"""Forms as somebody filled them in."""

from __future__ import annotations

import pytest

from wattproof.console.filled import Filled
from wattproof.core.codes import check_id, check_uscc
from wattproof.core.errors import Refused
from wattproof.identity.model import RegisterParty, SuspendParty

KEY = bytes(range(32))


def refusal_of(work: object) -> Refused:
    assert callable(work)
    with pytest.raises(Refused) as caught:
        work()
    return caught.value


def test_what_was_typed() -> None:
    form = Filled({"id": "  works ", "roles": ("a", "b"), "password": " blank "})
    assert form["id"] == "works"
    assert form["nothing"] == ""
    assert form.all("roles") == ("a", "b")
    assert form.all("nothing") == ()
    assert form.secret("password") == " blank "
    assert form.file("id") is None


def test_what_stands_in_a_field() -> None:
    form = Filled({"point": ""})
    assert form.shown("point", "point-1") == "", "somebody has emptied it"
    assert form.shown("region", "CN-SH") == "CN-SH"


def test_every_field_that_cannot_be_taken_is_named() -> None:
    form = Filled({"id": "a b", "uscc": "123", "name": "Works"})
    form.take("id", check_id)
    form.take("uscc", check_uscc)
    assert form.take("name", str) == "Works"
    form.take("key", str)
    first = refusal_of(form.finish)
    assert first.code == "core.id"
    form.refused(first)
    codes = {name: why[1] for name in form.texts if (why := form.why(name, "zh"))}
    assert codes == {"id": "core.id", "uscc": "core.uscc"}
    assert form.why("key", "en") == ("This has to be filled in.", "console.field_needed")
    assert form.why("name", "en") is None
    assert form.refusal is None
    assert form.status == 400


def test_a_refusal_goes_where_it_belongs() -> None:
    taken = refusal_of(lambda: check_id("a b"))
    form = Filled({"id": "works"}).refused(taken, {"core.id": "id"})
    assert form.why("id", "en") is not None
    assert form.refusal is None
    above = Filled({"id": "works"}).refused(taken)
    assert above.refusal is taken
    assert above.why("id", "en") is None
    assert form.status == above.status == taken.http_status
    assert form.first is above.first is taken


def test_fields_stay_within_their_bounds() -> None:
    fine = RegisterParty(id="works", kind="organisation", key=KEY, name="Works", roles=("bank",))
    assert Filled().bounded(fine) == fine
    form = Filled({"reason": "r" * 500})
    body = SuspendParty(party="works", reason=form["reason"])
    assert refusal_of(lambda: form.bounded(body)).code == "console.field"
    assert form.why("reason", "en") is not None
    strange = Filled({"reason": "a\x00b"})
    body = SuspendParty(party="works", reason="a\x00b")
    assert refusal_of(lambda: strange.bounded(body)).code == "console.field"
    elsewhere = Filled({"other": "x"})
    elsewhere.refused(refusal_of(lambda: elsewhere.bounded(SuspendParty(party="w" * 99))))
    assert elsewhere.refusal is not None, "a field that the form does not have"


def test_an_empty_form_is_fine() -> None:
    assert Filled().status == 200
    assert Filled().first is None
    Filled().finish()
