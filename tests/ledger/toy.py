"""A toy contract: jars of beans, enough to try every part of the ledger below the real rooms."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from wattproof.core.actor import Actor
from wattproof.core.errors import Conflict, ErrorCode
from wattproof.keys.ed25519 import SigningKey
from wattproof.ledger.genesis import PROFILE, Founder, Genesis, sign_genesis
from wattproof.ledger.machine import Context, Contract, Event, Machine, event
from wattproof.ledger.state import Collection, Record
from wattproof.ledger.transaction import Body, Part, transaction

TOO_FEW = ErrorCode(Conflict, "toy.too_few", en="{jar} has {beans}.", zh="{jar} 有 {beans}。")
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Jar(Record):
    name: str
    shelf: str
    beans: int = 0


JARS = Collection("jars", Jar, key=("name",), indexes={"shelf": ("shelf",)})


@event("toy.filled", en="{jar} now has {beans}", zh="{jar} 现有 {beans}")
class Filled(Event):
    jar: str
    beans: int


@transaction("toy.fill", 1, by=("anyone",), en="Fill a jar", zh="装罐")
class Fill(Body):
    jar: str
    shelf: str
    beans: Count


@transaction("toy.empty", 1, by=("anyone",), en="Empty a jar", zh="清空")
class Empty(Body):
    jar: str


class Move(Part):
    source: str
    target: str
    beans: Count


@transaction("toy.move", 1, by=("anyone",), en="Move beans", zh="移动")
class MoveAll(Body):
    moves: tuple[Move, ...]
    label: bytes | None = None


@transaction("toy.crash", 1, by=("anyone",), en="Fail", zh="出错")
class Crash(Body):
    jar: str


contract = Contract("toy", collections=(JARS,))


@contract.rule(Genesis)
def genesis(ctx: Context, body: Genesis) -> None:
    assert ctx.index == 0, body


@contract.rule(Fill)
def fill(ctx: Context, body: Fill) -> None:
    before = ctx.state.get(JARS, body.jar)
    beans = body.beans + (before.beans if before else 0)
    ctx.state.put(JARS, Jar(name=body.jar, shelf=body.shelf, beans=beans))
    ctx.emit(Filled(jar=body.jar, beans=beans))


@contract.rule(Empty)
def empty(ctx: Context, body: Empty) -> None:
    if ctx.state.get(JARS, body.jar) is None:
        raise TOO_FEW(jar=body.jar, beans=0)
    ctx.state.delete(JARS, body.jar)


@contract.rule(MoveAll)
def move_all(ctx: Context, body: MoveAll) -> None:
    for move in body.moves:
        source = ctx.state.get(JARS, move.source)
        held = source.beans if source else 0
        if source is None or held < move.beans:
            raise TOO_FEW(jar=move.source, beans=held)
        ctx.state.put(JARS, Jar(name=source.name, shelf=source.shelf, beans=held - move.beans))
        fill(ctx, Fill(jar=move.target, shelf=source.shelf, beans=move.beans))


@contract.rule(Crash)
def crash(ctx: Context, body: Crash) -> None:
    ctx.state.put(JARS, Jar(name=body.jar, shelf="none"))
    raise ZeroDivisionError("a bug in a rule")


def authorise(ctx: Context, by: tuple[str, ...]) -> Actor:
    assert by == ("anyone",), ctx
    return Actor(kind="nobody", id=ctx.signer.hex())


def machine() -> Machine:
    return Machine([contract], authorise=authorise)


def signed_genesis(key: SigningKey, log_key: SigningKey) -> bytes:
    founder = Founder(
        id="registrar", name="Registrar", uscc="", key=key.public, roles=("registrar",)
    )
    body = Genesis(
        name="toy",
        zone="Asia/Shanghai",
        profile=PROFILE,
        log_key=log_key.public,
        founders=(founder,),
        registrar="registrar",
    )
    return sign_genesis(body, key, nonce=bytes(16))
