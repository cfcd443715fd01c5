"""A small machine, its routes, and a source whose names are unlike the machine's: what the routing tests share."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).resolve().parent))

from shop_service import ARP, FOLDER, TOKEN, Shop, routed, start

from edca.diagnostics import Source
from edca.kernel.machine import (
    SEMANTICS_VERSION,
    EffectDeclaration,
    Entity,
    EntityField,
    Evidence,
    Machine,
    Parameter,
    Role,
    RoleKind,
    State,
    Tier,
    Transition,
)
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
)
from edca.routing import Drift, Routes, SourceRouter, close, load, open_engine, open_sources
from edca.semantic.compile import Compiled, compile_spec

_HERE = Path(__file__).parent
_MONEY = DecimalType(2, 0, 1_000_000)
_SIZE = EnumType("size", (("small", "small"), ("large", "large")))
_KIND = EnumType("", (("road", "road"), ("air_mail", "air mail")))
_COLOUR = EnumType("colour", (("red", "red"), ("blue", "blue")))
_LABEL = RecordType("label", (("line", TextType(20)), ("colour", _COLOUR)))
_STOP = RecordType("stop", (("depot", IdType()), ("fee", _MONEY)))
_MOVE = RecordType("move", (("depot", IdType()), ("day", DateType()), ("fee", _MONEY)))

_PARCEL: dict[str, Type] = {
    "owner": ReferenceType("customer"),
    "weight": _MONEY,
    "declared": _MONEY,
    "size": _SIZE,
    "kind": _KIND,
    "fragile": BoolType(),
    "insured": BoolType(),
    "sent_at": TimeType(),
    "due_at": TimeType(),
    "seen_at": OptionalType(TimeType()),
    "due_day": DateType(),
    "made_day": DateType(),
    "patience": DurationType(),
    "pause": DurationType(),
    "note": OptionalType(TextType(20)),
    "pieces": IntType(1, 20),
    "courier": PrincipalType("driver"),
    "city": TextType(40),
    "label": OptionalType(_LABEL),
    "depot_last": IdType(),
    "depot_next": OptionalType(IdType()),
    "stops": ListType(0, 3, _STOP),
    "paid_stops": ListType(0, 3, _STOP),
    "others": ListType(1, 5, ReferenceType("parcel")),
    "tags": ListType(0, 4, TextType(10)),
}


def _entity(name: str, key: dict[str, Type], fields: dict[str, Type]) -> Entity:
    return Entity(
        name,
        tuple(Parameter(part, type_) for part, type_ in key.items()),
        tuple(EntityField(field, type_, False, ()) for field, type_ in fields.items()),
    )


def _parameters(**types: Type) -> tuple[Parameter, ...]:
    return tuple(Parameter(name, type_) for name, type_ in types.items())


@pytest.fixture(scope="session")
def machine() -> Machine:
    """Parcels, their owners, and the slots of depots; a transition creates parcels."""
    create = Transition(
        name="create",
        offered="create",
        text="Take a parcel in.",
        parameters=(),
        about="parcel",
        key=(),
        creates=True,
        sources=("waiting",),
        target="waiting",
        guard=None,
        priority=0,
        after_us=None,
        unblockable=False,
        by=("clerk",),
        answers="clerk",
        lets=(),
        clauses=(),
        assignments=(),
        acts=(),
        on_failed=None,
        on_timeout=None,
        evidence=(Evidence("customer", ("state",)), Evidence("parcel", ("city", "stops"))),
    )
    parcel = ReferenceType("parcel")
    return Machine(
        name="parcels",
        version="1",
        text="",
        tier=Tier.CONSEQUENTIAL,
        language=1,
        semantics=SEMANTICS_VERSION,
        case_about="parcel",
        case_key=("parcel_id",),
        fresh_us=None,
        roles=(Role("clerk", RoleKind.HUMAN), Role("driver", RoleKind.HUMAN)),
        entities=(
            _entity("customer", {"customer_id": IdType()}, {"state": OptionalType(TextType(20))}),
            _entity("parcel", {"parcel_id": IdType()}, _PARCEL),
            _entity("slot", {"depot": IdType(), "day": DateType()}, {"free": IntType(0, 99)}),
        ),
        claims=(),
        effects=(
            EffectDeclaration("drop", _parameters(parcel=parcel)),
            EffectDeclaration(
                "ship",
                _parameters(parcel=parcel, fee=_MONEY, moves=ListType(0, 5, _MOVE), when_sent=TimeType()),
            ),
        ),
        memory=(),
        states=(
            State("gone", "On its way.", None, True, True, None),
            State("lost", "Nobody knows where.", None, True, False, None),
            State("waiting", "In the yard.", "parcel", False, False, None),
        ),
        composites=(),
        transitions=(create,),
        screens=(),
        modes=(),
        properties=(),
        releases=(),
    )


@pytest.fixture(scope="session")
def text() -> str:
    """The routes file."""
    return (_HERE / "parcel.arp").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def routes(machine: Machine, text: str) -> Routes:
    """The loaded routes."""
    loaded = load(Source("parcel.arp", text), machine)
    assert loaded.diagnostics == ()
    assert loaded.routes is not None
    return loaded.routes


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    """The source: an in-memory database of its own for each test."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript((_HERE / "parcel.sql").read_text(encoding="utf-8"))
    yield connection
    connection.close()


@pytest.fixture
def engine(database: sqlite3.Connection) -> sa.Engine:
    """An engine on the source."""
    return open_engine("sqlite://", creator=lambda: database)


@pytest.fixture
def gone(tmp_path: Path) -> sa.Engine:
    """An engine on a source that was there when it was opened, and is not any more."""
    file = tmp_path / "gone.db"
    file.touch()
    engine = open_engine(f"sqlite:///{file}")
    file.unlink()
    return engine


@pytest.fixture
def router(routes: Routes, machine: Machine, engine: sa.Engine) -> SourceRouter:
    """A router on the source."""
    return SourceRouter(routes, machine, {"yard": engine})


@pytest.fixture
def codes_of(machine: Machine) -> Callable[[str], list[str]]:
    """Return the codes of what `load` finds in a text, in reading order."""

    def codes(changed: str) -> list[str]:
        loaded = load(Source("changed.arp", changed), machine)
        assert (loaded.routes is None) == bool(loaded.diagnostics)
        return [finding.code.id for finding in loaded.diagnostics]

    return codes


# --- refunds over HTTP ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def refund_spec() -> Compiled:
    """The spec of refunds."""
    return compile_spec(Source("refund.edca", (FOLDER / "refund.edca").read_text("utf-8")))


@pytest.fixture(scope="session")
def refund(refund_spec: Compiled) -> Machine:
    """The machine of refunds."""
    assert refund_spec.machine is not None
    return refund_spec.machine


@pytest.fixture
def shop() -> Shop:
    """The state of a shop's service."""
    return Shop()


@pytest.fixture
def url(shop: Shop) -> Iterator[str]:
    """Where the shop is served."""
    server, address = start(shop)
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def drifts() -> list[Drift]:
    """What the operator was told."""
    return []


@pytest.fixture
def opened(refund: Machine, url: str, drifts: list[Drift]) -> Iterator[Callable[..., SourceRouter]]:
    """Makes a router of routes on the service, or on one at another address."""
    with ExitStack() as stack:

        def make(text: str, address: str = url) -> SourceRouter:
            routes = routed(text, refund)
            engines = open_sources(routes, {"REFUND_SHOP_API": address, "REFUND_SHOP_TOKEN": TOKEN})
            stack.callback(close, engines["shop"])
            return SourceRouter(routes, refund, engines, drifts.append)

        yield make


@pytest.fixture
def service_router(opened: Callable[..., SourceRouter]) -> SourceRouter:
    """A router on the shop's service."""
    return opened(ARP)
