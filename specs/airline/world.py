"""The world of the airline trial: its internal database, the recorded tools, and what the customer said.

Three shapes of one world meet here. The *data* is the public JSON (`flights`, `reservations`, `users`). The
*internal database* (`schema.sql`) holds the same under terse names and codes, which only routes may know.
The *dialogue* is what the customer and the agent wrote. The recorded tools check almost none of the airline's
policy, and nothing here does either: refusing what the policy forbids is the kernel's work.

Entries of the data are replaced, never changed in place: `branch` isolates two worlds without a deep copy.
"""

import hashlib
import itertools
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

Record = dict[str, Any]

WRITE_TOOLS = (
    "book_reservation",
    "cancel_reservation",
    "send_certificate",
    "update_reservation_baggages",
    "update_reservation_flights",
    "update_reservation_passengers",
)
BOOKED_AT = "2024-05-15T15:00:00"  # the policy's fixed current time, which every booking carries
INSURANCE_C = 30_00  # cents for one passenger
BAG_C = 50_00  # cents for one checked bag beyond the free ones

_SCHEMA = Path(__file__).with_name("schema.sql")
_FIRST_CODE, _CODE_COUNT = "HATHAT", 400
_FIRST_CERTIFICATE = 3221322
_EASTERN = timezone(timedelta(hours=-5))  # the policy writes EST all year, so there is no daylight saving
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER_MAX = 10**12  # beyond any sum or count of the data, well inside SQLite's integers

_TIER = {"regular": "B", "silver": "S", "gold": "G"}
_KIND = {"credit_card": "C", "gift_card": "G", "certificate": "V"}
_CLASS = {"basic_economy": "M", "economy": "Y", "business": "J"}
_JOURNEY = {"one_way": "O", "round_trip": "R"}
_STATUS = {
    "available": "AV",
    "delayed": "DL",
    "on time": "OT",
    "flying": "FL",
    "landed": "LD",
    "cancelled": "CX",
}
_INSURED = {"no": 0, "yes": 1}
_TIER_OF, _KIND_OF, _CLASS_OF, _JOURNEY_OF, _STATUS_OF = (
    {code: name for name, code in codes.items()} for codes in (_TIER, _KIND, _CLASS, _JOURNEY, _STATUS)
)
_INSURED_OF = {flag: name for name, flag in _INSURED.items()}


# ---------------------------------------------------------------- data


def read_data(folder: Path) -> Record:
    """Return the data in `folder` (`flights.json`, `reservations.json`, `users.json`)."""
    names = ("flights", "reservations", "users")
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}


def branch(data: Mapping[str, Any]) -> Record:
    """Return a copy of `data` that calls may change without touching the original."""
    return {name: dict(entries) for name, entries in data.items()}


def data_hash(data: Mapping[str, Any]) -> str:
    """Return the SHA-256 (hex) of the data as sorted, nested tuples; the recordings compare worlds by it."""
    return hashlib.sha256(str(_tuples(dict(data))).encode("utf-8")).hexdigest()


def _tuples(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple((key, _tuples(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value


def _codes() -> Iterable[str]:
    """Yield reservation codes: six letters, counted up in base 26."""
    start = 0
    for letter in _FIRST_CODE:
        start = start * 26 + ord(letter) - ord("A")
    for number in range(start, start + _CODE_COUNT):
        yield "".join(chr(ord("A") + number // 26**place % 26) for place in reversed(range(len(_FIRST_CODE))))


RESERVATION_CODES = tuple(_codes())


def _cents(amount: float) -> int:
    """Return an amount in cents; ValueError if it isn't a whole, bounded number of them."""
    cents = Decimal(str(amount)) * 100
    if not cents.is_finite() or abs(cents) > _NUMBER_MAX or cents != cents.to_integral_value():
        raise ValueError(f"{amount} isn't a whole number of cents")
    return int(cents)


def _amount(cents: int) -> int | float:
    return cents // 100 if cents % 100 == 0 else cents / 100


def _instant_us(local: str) -> int:
    moment = datetime.fromisoformat(local).replace(tzinfo=_EASTERN)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _local(instant_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=instant_us)).astimezone(_EASTERN).replace(tzinfo=None).isoformat()


def _json(entry: Mapping[str, Any], *, without: Iterable[str]) -> str:
    return json.dumps({key: value for key, value in entry.items() if key not in without}, sort_keys=True)


# ---------------------------------------------------------------- internal database


def template(folder: Path) -> sqlite3.Connection:
    """Return an in-memory internal database filled from the data in `folder`."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    load(read_data(folder), connection)
    return connection


def fresh(source: sqlite3.Connection, target: str | Path = ":memory:") -> sqlite3.Connection:
    """Return a connection to a full copy of `source` at `target`; what stood at `target` is overwritten."""
    connection = sqlite3.connect(target, check_same_thread=False)
    source.backup(connection)
    return connection


def load(data: Mapping[str, Any], connection: sqlite3.Connection) -> None:
    """Create the internal tables in an empty database and fill them from `data`."""
    connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
    with connection:
        _write_flights(connection, data["flights"])
        _write_users(connection, data["users"])
        booked = {pnr: _CLASS[entry["cabin"]] for pnr, entry in data["reservations"].items()}
        _write_reservations(connection, data["reservations"], booked, amended=())
        numbered = [(pnr, pos) for pos, pnr in enumerate(RESERVATION_CODES)]
        connection.executemany("INSERT INTO t_key (pnr, pos) VALUES (?, ?)", numbered)


def sync(
    connection: sqlite3.Connection,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    cabins: Mapping[str, str] | None = None,
) -> None:
    """Write the reservations and users in which `after` differs from `before` into the internal database.

    Entries that are equal may be left out of both. The data doesn't hold the current cabin of a reservation
    whose flights were changed, so `cabins` gives it by reservation id; elsewhere the fare class stays, or is
    the cabin booked if the reservation is new. A touched entry is written anew as a whole.
    """
    cabins = cabins or {}
    users = _touched(before["users"], after["users"])
    rebooked = {pnr for pnr in cabins if pnr in after["reservations"]}
    reservations = sorted({*_touched(before["reservations"], after["reservations"]), *rebooked})
    current: dict[str, str] = dict(
        connection.execute(
            "SELECT pnr, cls FROM t_leg WHERE old_f = 0 AND pnr IN (SELECT value FROM json_each(?))",
            [json.dumps(reservations)],
        )
    )
    written = {pnr: after["reservations"][pnr] for pnr in reservations if pnr in after["reservations"]}
    classes = {
        pnr: _CLASS[cabins[pnr]] if pnr in cabins else current.get(pnr, _CLASS[entry["cabin"]])
        for pnr, entry in written.items()
    }
    amended = [
        pnr
        for pnr, entry in written.items()
        if pnr in before["reservations"]
        and (_itinerary(before["reservations"][pnr]) != _itinerary(entry) or current.get(pnr) != classes[pnr])
    ]
    reflown = [pnr for pnr in amended if before["reservations"][pnr]["flights"] != written[pnr]["flights"]]
    reflown += [pnr for pnr in amended if pnr not in reflown and current.get(pnr) != classes[pnr]]
    with connection:
        connection.executemany("UPDATE t_leg SET old_f = 1 WHERE pnr = ?", [(pnr,) for pnr in reflown])
        for statement in _DELETE_CHILDREN:
            connection.executemany(statement, [(pnr,) for pnr in reservations])
        gone = [(pnr,) for pnr in reservations if pnr not in written]
        connection.executemany("DELETE FROM t_hdr WHERE pnr = ?", gone)
        _write_reservations(connection, written, classes, amended)
        for statement in _DELETE_USER:
            connection.executemany(statement, [(cno,) for cno in users])
        _write_users(connection, {cno: after["users"][cno] for cno in users if cno in after["users"]})


def project(connection: sqlite3.Connection, base: Mapping[str, Any]) -> Record:
    """Return the internal database in the shape of the data.

    `base` is the data that was loaded; from it come only the flights' actual and estimated times, which the
    internal database doesn't keep.
    """
    return {
        "flights": _read_flights(connection, base["flights"]),
        "reservations": _read_reservations(connection),
        "users": _read_users(connection),
    }


_DELETE_CHILDREN = (
    "DELETE FROM t_leg WHERE pnr = ? AND old_f = 0",
    "DELETE FROM t_pax WHERE pnr = ?",
    "DELETE FROM t_pay WHERE pnr = ?",
)
_DELETE_USER = (
    "DELETE FROM t_cust WHERE cno = ?",
    "DELETE FROM t_wlt WHERE cno = ?",
    "DELETE FROM t_own WHERE cno = ?",
)


def _touched(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in {*before, *after} if before.get(key) != after.get(key))


def _itinerary(reservation: Mapping[str, Any]) -> list[Any]:
    """Return the parts of a reservation whose change counts as an amendment."""
    return [reservation[part] for part in ("flights", "passengers", "total_baggages", "nonfree_baggages")]


def _write_flights(connection: sqlite3.Connection, flights: Mapping[str, Record]) -> None:
    days = [(fno, fdt, day) for fno, flight in flights.items() for fdt, day in flight["dates"].items()]
    apart = ("flight_number", "origin", "destination", "dates")
    connection.executemany(
        "INSERT INTO t_flt (fno, dep_ap, arr_ap, doc) VALUES (?, ?, ?, ?)",
        [
            (fno, flight["origin"], flight["destination"], _json(flight, without=apart))
            for fno, flight in flights.items()
        ],
    )
    connection.executemany(
        "INSERT INTO t_ops (fno, fdt, st_cd) VALUES (?, ?, ?)",
        [(fno, fdt, _STATUS[day["status"]]) for fno, fdt, day in days],
    )
    connection.executemany(
        "INSERT INTO t_inv (fno, fdt, cls, left_n, fare_c) VALUES (?, ?, ?, ?, ?)",
        [
            (fno, fdt, _CLASS[cabin], seats, _cents(day["prices"][cabin]))
            for fno, fdt, day in days
            for cabin, seats in day.get("available_seats", {}).items()
        ],
    )


def _read_flights(connection: sqlite3.Connection, base: Mapping[str, Record]) -> Record:
    flights: Record = {}
    for fno, dep_ap, arr_ap, doc in connection.execute("SELECT fno, dep_ap, arr_ap, doc FROM t_flt"):
        flights[fno] = {
            "flight_number": fno,
            "origin": dep_ap,
            "destination": arr_ap,
            **json.loads(doc),
            "dates": {},
        }
    for fno, fdt, code in connection.execute("SELECT fno, fdt, st_cd FROM t_ops"):
        times = {key: value for key, value in base[fno]["dates"].get(fdt, {}).items() if key.endswith("_est")}
        flights[fno]["dates"][fdt] = {"status": _STATUS_OF[code], **times}
    for fno, fdt, code, left, fare_c in connection.execute("SELECT fno, fdt, cls, left_n, fare_c FROM t_inv"):
        day = flights[fno]["dates"][fdt]
        day.setdefault("available_seats", {})[_CLASS_OF[code]] = left
        day.setdefault("prices", {})[_CLASS_OF[code]] = _amount(fare_c)
    return flights


def _write_users(connection: sqlite3.Connection, users: Mapping[str, Record]) -> None:
    apart = ("payment_methods", "membership", "reservations")
    connection.executemany(
        "INSERT INTO t_cust (cno, tier_cd, doc) VALUES (?, ?, ?)",
        [(cno, _TIER[user["membership"]], _json(user, without=apart)) for cno, user in users.items()],
    )
    connection.executemany(
        "INSERT INTO t_wlt (cno, wid, kd, bal_c, doc) VALUES (?, ?, ?, ?, ?)",
        [
            (
                cno,
                wid,
                _KIND[method["source"]],
                _cents(method["amount"]) if "amount" in method else None,
                _json(method, without=("source", "amount", "id")),
            )
            for cno, user in users.items()
            for wid, method in user["payment_methods"].items()
        ],
    )
    connection.executemany(
        "INSERT INTO t_own (cno, pnr) VALUES (?, ?)",
        [(cno, pnr) for cno, user in users.items() for pnr in user["reservations"]],
    )


def _read_users(connection: sqlite3.Connection) -> Record:
    users: Record = {}
    for cno, tier, doc in connection.execute("SELECT cno, tier_cd, doc FROM t_cust"):
        users[cno] = {
            **json.loads(doc),
            "membership": _TIER_OF[tier],
            "payment_methods": {},
            "reservations": [],
        }
    for cno, wid, kind, bal_c, doc in connection.execute("SELECT cno, wid, kd, bal_c, doc FROM t_wlt ORDER BY pos"):
        balance = {} if bal_c is None else {"amount": _amount(bal_c)}
        users[cno]["payment_methods"][wid] = {
            "source": _KIND_OF[kind],
            "id": wid,
            **balance,
            **json.loads(doc),
        }
    for cno, pnr in connection.execute("SELECT cno, pnr FROM t_own ORDER BY oid"):
        users[cno]["reservations"].append(pnr)
    return users


def _write_reservations(
    connection: sqlite3.Connection,
    reservations: Mapping[str, Record],
    classes: Mapping[str, str],
    amended: Sequence[str],
) -> None:
    connection.executemany(
        # An upsert, so that a header keeps its place and its count of amendments.
        """INSERT INTO t_hdr (pnr, cno, dep_ap, arr_ap, jt, bkd_cls, mk_us, bag_n, bag_x, ins_f, st, amd_n)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (pnr) DO UPDATE SET
          cno = excluded.cno, dep_ap = excluded.dep_ap, arr_ap = excluded.arr_ap, jt = excluded.jt,
          bkd_cls = excluded.bkd_cls, mk_us = excluded.mk_us, bag_n = excluded.bag_n, bag_x = excluded.bag_x,
          ins_f = excluded.ins_f, st = excluded.st, amd_n = amd_n + excluded.amd_n""",
        [
            (
                pnr,
                entry["user_id"],
                entry["origin"],
                entry["destination"],
                _JOURNEY[entry["flight_type"]],
                _CLASS[entry["cabin"]],
                _instant_us(entry["created_at"]),
                entry["total_baggages"],
                entry["nonfree_baggages"],
                _INSURED[entry["insurance"]],
                "X" if entry.get("status") == "cancelled" else "A",
                1 if pnr in amended else 0,
            )
            for pnr, entry in reservations.items()
        ],
    )
    connection.executemany(
        "INSERT INTO t_leg (pnr, fno, fdt, cls, dep_ap, arr_ap, fare_c) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                pnr,
                leg["flight_number"],
                leg["date"],
                classes[pnr],
                leg["origin"],
                leg["destination"],
                _cents(leg["price"]),
            )
            for pnr, entry in reservations.items()
            for leg in entry["flights"]
        ],
    )
    connection.executemany(
        "INSERT INTO t_pax (pnr, fn, ln, bd) VALUES (?, ?, ?, ?)",
        [
            (pnr, person["first_name"], person["last_name"], person["dob"])
            for pnr, entry in reservations.items()
            for person in entry["passengers"]
        ],
    )
    connection.executemany(
        "INSERT INTO t_pay (pnr, wid, amt_c) VALUES (?, ?, ?)",
        [
            (pnr, payment["payment_id"], _cents(payment["amount"]))
            for pnr, entry in reservations.items()
            for payment in entry["payment_history"]
        ],
    )


def _read_reservations(connection: sqlite3.Connection) -> Record:
    lists: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for pnr, fno, fdt, dep_ap, arr_ap, fare_c in connection.execute(
        "SELECT pnr, fno, fdt, dep_ap, arr_ap, fare_c FROM t_leg WHERE old_f = 0 ORDER BY lid"
    ):
        leg = {
            "flight_number": fno,
            "date": fdt,
            "price": _amount(fare_c),
            "origin": dep_ap,
            "destination": arr_ap,
        }
        lists[pnr, "flights"].append(leg)
    for pnr, fn, ln, bd in connection.execute("SELECT pnr, fn, ln, bd FROM t_pax ORDER BY pid"):
        lists[pnr, "passengers"].append({"first_name": fn, "last_name": ln, "dob": bd})
    for pnr, wid, amt_c in connection.execute("SELECT pnr, wid, amt_c FROM t_pay ORDER BY xid"):
        lists[pnr, "payment_history"].append({"payment_id": wid, "amount": _amount(amt_c)})
    reservations: Record = {}
    for pnr, cno, dep_ap, arr_ap, jt, bkd_cls, mk_us, bag_n, bag_x, ins_f, st in connection.execute(
        "SELECT pnr, cno, dep_ap, arr_ap, jt, bkd_cls, mk_us, bag_n, bag_x, ins_f, st FROM t_hdr ORDER BY ord"
    ):
        reservations[pnr] = {
            "reservation_id": pnr,
            "user_id": cno,
            "origin": dep_ap,
            "destination": arr_ap,
            "flight_type": _JOURNEY_OF[jt],
            "cabin": _CLASS_OF[bkd_cls],
            **{part: lists[pnr, part] for part in ("flights", "passengers", "payment_history")},
            "created_at": _local(mk_us),
            "total_baggages": bag_n,
            "nonfree_baggages": bag_x,
            "insurance": _INSURED_OF[ins_f],
            **({"status": "cancelled"} if st == "X" else {}),
        }
    return reservations


# ---------------------------------------------------------------- recorded tools


@dataclass(frozen=True, slots=True)
class Change:
    """What one call does to the data: the tool's answer, and the entries it replaces (none on an error)."""

    result: str
    reservations: Mapping[str, Record] = field(default_factory=dict)
    users: Mapping[str, Record] = field(default_factory=dict)


class _ToolError(Exception):
    """The recorded tool turns the call down; becomes its answer."""


def plan_call(data: Mapping[str, Any], name: str, args: Mapping[str, Any]) -> Change:
    """Return what the recorded write tool `name` would do to `data`, by its own rules and no policy.

    An answer that starts with "Error" changes nothing. Malformed arguments and amounts that aren't whole
    cents are such errors. ValueError if `name` isn't one of `WRITE_TOOLS`.
    """
    try:
        match name:
            case "book_reservation":
                return _book(data, args)
            case "cancel_reservation":
                return _cancel(data, args)
            case "send_certificate":
                return _send_certificate(data, args)
            case "update_reservation_baggages":
                return _update_baggages(data, args)
            case "update_reservation_flights":
                return _update_flights(data, args)
            case "update_reservation_passengers":
                return _update_passengers(data, args)
            case _:
                raise ValueError(f"`{name}` isn't a write tool")
    except _ToolError as error:
        return Change(f"Error: {error}")


def apply_call(data: Record, name: str, args: Mapping[str, Any]) -> str:
    """Apply one recorded write call to `data` and return the tool's answer; see `plan_call`."""
    change = plan_call(data, name, args)
    data["reservations"].update(change.reservations)
    data["users"].update(change.users)
    return change.result


def follow(connection: sqlite3.Connection, data: Record, name: str, args: Mapping[str, Any]) -> tuple[str, Record]:
    """Apply one recorded write call to `data` and the internal database alike; return answer and `data`."""
    change = plan_call(data, name, args)
    after = {"reservations": change.reservations, "users": change.users}
    before = {part: {key: data[part][key] for key in entries if key in data[part]} for part, entries in after.items()}
    rebooked = change.reservations if name == "update_reservation_flights" else {}
    sync(connection, before, after, {pnr: args["cabin"] for pnr in rebooked})
    for part, entries in after.items():
        data[part].update(entries)
    return change.result, data


def _book(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    user_id, user = _find(data, "user", args)
    cabin = _choice(args, "cabin", _CLASS)
    passengers = _passengers(args)
    legs = [_priced(data, number, date, cabin, len(passengers)) for number, date in _segments(args)]
    insurance = _choice(args, "insurance", _INSURED)
    nonfree = _whole(args, "nonfree_baggages")
    each_c = sum(_cents(leg["price"]) for leg in legs) + (INSURANCE_C if insurance == "yes" else 0)
    total_c = each_c * len(passengers) + BAG_C * nonfree

    methods = dict(user["payment_methods"])
    payments = [(_text(item, "payment_id"), _money(item, "amount")) for item in _items(args, "payment_methods")]
    for payment_id, amount_c in payments:
        # The tool compares each amount with the balance before the booking, even if one card is named twice.
        method = user["payment_methods"].get(payment_id)
        if method is None or payment_id not in methods:
            raise _ToolError(f"payment method {payment_id} not found")
        if method["source"] == "credit_card":
            continue
        if _cents(method["amount"]) < amount_c:
            raise _ToolError(f"not enough balance in payment method {payment_id}")
        if method["source"] == "certificate":
            del methods[payment_id]
        else:
            methods[payment_id] = _debited(methods[payment_id], amount_c)
    paid_c = sum(amount_c for _, amount_c in payments)
    if paid_c != total_c:
        raise _ToolError(
            f"payment amount does not add up, total price is {_amount(total_c)}, but paid {_amount(paid_c)}"
        )

    code = next((code for code in RESERVATION_CODES if code not in data["reservations"]), None)
    if code is None:
        raise _ToolError("no reservation code is left")
    reservation = {
        "reservation_id": code,
        "user_id": user_id,
        "origin": _text(args, "origin"),
        "destination": _text(args, "destination"),
        "flight_type": _choice(args, "flight_type", _JOURNEY),
        "cabin": cabin,
        "flights": legs,
        "passengers": passengers,
        "payment_history": [_payment(payment_id, amount_c) for payment_id, amount_c in payments],
        "created_at": BOOKED_AT,
        "total_baggages": _whole(args, "total_baggages"),
        "nonfree_baggages": nonfree,
        "insurance": insurance,
    }
    booker = {**user, "payment_methods": methods, "reservations": [*user["reservations"], code]}
    return Change(json.dumps(reservation), {code: reservation}, {user_id: booker})


def _cancel(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    code, reservation = _find(data, "reservation", args)
    paid = reservation["payment_history"]
    refunds = [_payment(payment["payment_id"], -_cents(payment["amount"])) for payment in paid]
    cancelled = {**reservation, "payment_history": [*paid, *refunds], "status": "cancelled"}
    return Change(json.dumps(cancelled), {code: cancelled})


def _send_certificate(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    user_id, user = _find(data, "user", args)
    amount = _amount(_money(args, "amount"))
    methods = user["payment_methods"]
    names = (f"certificate_{number}" for number in itertools.count(_FIRST_CERTIFICATE))
    name = next(name for name in names if name not in methods)
    certificate = {"source": "certificate", "amount": amount, "id": name}
    owner = {**user, "payment_methods": {**methods, name: certificate}}
    return Change(f"{name} over {amount} was added to the profile of {user_id}", users={user_id: owner})


def _update_baggages(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    code, reservation = _find(data, "reservation", args)
    nonfree = _whole(args, "nonfree_baggages")
    due_c = BAG_C * max(0, nonfree - reservation["nonfree_baggages"])
    bags = {"total_baggages": _whole(args, "total_baggages"), "nonfree_baggages": nonfree}
    return _settle(data, args, code, {**reservation, **bags}, due_c)


def _update_flights(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    code, reservation = _find(data, "reservation", args)
    cabin = _choice(args, "cabin", _CLASS)
    count = len(reservation["passengers"])
    held = {}
    if cabin == reservation["cabin"]:
        held = {(leg["flight_number"], leg["date"]): leg for leg in reversed(reservation["flights"])}
    legs = [held[segment] if segment in held else _priced(data, *segment, cabin, count) for segment in _segments(args)]
    old_c, new_c = (sum(_cents(leg["price"]) for leg in part) * count for part in (reservation["flights"], legs))
    # The tool never updates the reservation's cabin; the runs were recorded so, and later calls build on it.
    return _settle(data, args, code, {**reservation, "flights": legs}, new_c - old_c)


def _update_passengers(data: Mapping[str, Any], args: Mapping[str, Any]) -> Change:
    code, reservation = _find(data, "reservation", args)
    passengers = _passengers(args)
    if len(passengers) != len(reservation["passengers"]):
        raise _ToolError("number of passengers does not match")
    updated = {**reservation, "passengers": passengers}
    return Change(json.dumps(updated), {code: updated})


def _settle(data: Mapping[str, Any], args: Mapping[str, Any], code: str, updated: Record, due_c: int) -> Change:
    """Charge (or, if negative, pay back) `due_c` for an updated reservation by the method the call names."""
    user_id = updated["user_id"]
    user = data["users"][user_id]
    payment_id = _text(args, "payment_id")
    method = user["payment_methods"].get(payment_id)
    if method is None:
        raise _ToolError("payment method not found")
    users = {}
    if method["source"] == "certificate":
        raise _ToolError("certificate cannot be used to update reservation")
    if method["source"] == "gift_card":
        if _cents(method["amount"]) < due_c:
            raise _ToolError("gift card balance is not enough")
        methods = {**user["payment_methods"], payment_id: _debited(method, due_c)}
        users = {user_id: {**user, "payment_methods": methods}}
    if due_c != 0:
        updated = {**updated, "payment_history": [*updated["payment_history"], _payment(payment_id, due_c)]}
    return Change(json.dumps(updated), {code: updated}, users)


def _priced(data: Mapping[str, Any], number: str, date: str, cabin: str, count: int) -> Record:
    """Return the segment at today's price, if the flight can be booked for `count` passengers."""
    flight = data["flights"].get(number)
    if flight is None:
        raise _ToolError(f"flight {number} not found")
    day = flight["dates"].get(date)
    if day is None:
        raise _ToolError(f"flight {number} not found on date {date}")
    if day["status"] != "available":
        raise _ToolError(f"flight {number} not available on date {date}")
    if day["available_seats"][cabin] < count:
        raise _ToolError(f"not enough seats on flight {number}")
    places = {"origin": flight["origin"], "destination": flight["destination"]}
    return {"flight_number": number, "date": date, "price": day["prices"][cabin], **places}


def _payment(payment_id: str, amount_c: int) -> Record:
    return {"payment_id": payment_id, "amount": _amount(amount_c)}


def _debited(method: Record, amount_c: int) -> Record:
    return {**method, "amount": _amount(_cents(method["amount"]) - amount_c)}


def _find(data: Mapping[str, Any], kind: str, args: Mapping[str, Any]) -> tuple[str, Record]:
    key = _text(args, f"{kind}_id")
    entry = data[f"{kind}s"].get(key)
    if entry is None:
        raise _ToolError(f"{kind} not found")
    return key, entry


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise _ToolError(f"{name} must be text")
    return value


def _choice(args: Mapping[str, Any], name: str, allowed: Iterable[str]) -> str:
    value = _text(args, name)
    if value not in allowed:
        raise _ToolError(f"{name} must be one of {', '.join(allowed)}")
    return value


def _whole(args: Mapping[str, Any], name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _NUMBER_MAX:
        raise _ToolError(f"{name} must be a whole number")
    return value


def _money(args: Mapping[str, Any], name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _ToolError(f"{name} must be a number")
    try:
        return _cents(value)
    except ValueError as error:
        raise _ToolError(f"{name}: {error}") from error


def _items(args: Mapping[str, Any], name: str) -> list[Record]:
    value = args.get(name)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _ToolError(f"{name} must be a list of objects")
    return value


def _segments(args: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(_text(item, "flight_number"), _text(item, "date")) for item in _items(args, "flights")]


def _passengers(args: Mapping[str, Any]) -> list[Record]:
    parts = ("first_name", "last_name", "dob")
    return [{part: _text(item, part) for part in parts} for item in _items(args, "passengers")]


# ---------------------------------------------------------------- what the customer said

_NEGATED = re.compile(r"(?:\b(?:not|never|no|without|before)|n't)(?:\s+[\w']+){0,2}\s+$")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")

_YES_AT_ONCE = re.compile(r"\W*(?:yes|yep|yeah)\b")
_YES = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\W*sure\b(?!,? (?:my|it's|the|here)\b)",  # "Sure, my user id is …" only answers a question
        r"^\W*(?:correct|confirm(?:ed)?|agreed|absolutely|definitely|ok(?:ay)?)\b(?!,? not\b)",
        r"\byes\b",
        r"\bi (?:can |do |hereby )?(?:confirm|agree)\b",
        r"\bgo ahead\b",
        r"^\W*(?:please )?book (?:it|them|that|this)\b",
        r"\bproceed\b",
        r"\b(?:that|this|it) (?:all )?(?:works|sounds (?:good|great|fine|perfect))\b",
        r"\bsounds (?:good|great|fine|perfect)\b",
        r"(?:\bis|'s|\bare|\blooks?|\ball) (?:all )?correct\b",
        r"\b(?:let's|please) do (?:it|that|this)\b",
    )
)
_CONDITION = re.compile(r"\bonly\b.*\bif\b|\b(?:unless|as long as|provided that)\b|\b(?:yes|yeah|yep)\W+if\b")
_REFUSAL = re.compile(r"(?:\bnot|n't) (?:want to )?(?:proceed|go ahead|confirm|agree|do (?:it|that|this))\b")
_NO = re.compile(r"^\W*no(?:pe)?\s*(?:[,;.!]|$)")  # "No extra bags" answers another question

Table = tuple[tuple[str, re.Pattern[str]], ...]


def _table(*rows: tuple[str, str]) -> Table:
    return tuple((value, re.compile(pattern)) for value, pattern in rows)


_FLIGHT_CANCELLED = (
    r"\b(?:you|they) (?:have |had |just )?cancell?ed (?:my|your|our|the|this|that) (?:\w+ )?flight"
    r"|\bairline (?:has |have |had |just )?cancell?ed|\bcancell?ed by (?:the|your|an) airline"
    r"|\bflights?\b[^.!?]{0,60}?\b(?:was|were|is|are|been|being|got|gets) (?:just |also )?cancell?ed"
)
_REASONS = _table(
    ("airline_cancelled", _FLIGHT_CANCELLED),
    (
        "health",
        r"\b(?:unwell|sick(?! of)|sickness|ill|illness|health|fever)\b"
        r"|\b(?:medical|doctor|hospital\w*|injur\w+|surgery|flu|covid|poisoning|pregnan\w+)\b"
        r"|\bbroke(?:n)? (?:my|her|his|their|a|an) (?:\w+ )?(?:leg|arm|foot|ankle|wrist|hip|rib|back)\b"
        r"|(?:\bnot|n't) feel(?:ing)? (?:very |so |too )?well\b",
    ),
    (
        "weather",
        r"\b(?:weather|storms?|thunderstorms?|hurricanes?|blizzards?|snow\w*|typhoon|tornado|flood\w*)\b",
    ),
    (
        "change_of_plan",
        r"\bchanges? (?:of|in|to) (?:my |your |our |the |travel )*plans?\b"
        r"|\bplans? (?:have |has |had )?changed\b"
        r"|\bchanged (?:my|your|our) (?:plans?|mind)\b|\bsomething (?:has |just )?c[ao]me up\b"
        r"|\bno longer (?:going|able|travell?ing|flying)\b",
    ),
)
_OTHER_REASONS = _table(("other", r"\bcancel\w*\b[^.!?]*\b(?:because|due to|since)\b|\bthe reason is\b"))
_COMPLAINTS = _table(
    ("cancelled_flight", _FLIGHT_CANCELLED + r"|\bcancell?ed flights?\b"),
    ("delayed_flight", r"\bdelayed\b|\bdelays\b|\b(?:flight|the|this|that) delay\b"),
)
_COMPENSATION = re.compile(
    r"\bcompensat\w+|\breimburs\w+|\bvouchers?\b|\bgoodwill\b|\bmake (?:it|this|that) (?:up|right)\b"
    r"|\brefund\w*|\b(?:travel )?credits?\b(?! cards?)|\bcomplain\w*"
    r"|\b(?:offer|give|send|get|receive) (?:me |you |us )?(?:a |an |some |any )?(?:travel )?certificate\b"
)


def claims(dialogue: Sequence[tuple[str, str]], call_name: str) -> dict[str, object]:
    """Return what the customer's words before a call seem to claim; a claim not made is absent.

    `dialogue` holds ("user" | "agent", text) in order. `agreed` says whether the customer's last text holds
    an explicit yes (true) or an explicit no (false); a polite question, a condition or a wish is neither.
    `reason` is looked for only before a cancellation, `complaints` (with a wish for compensation) only before
    a certificate is sent; of each the latest mention counts.

    These are tables of English phrases that stand in for a person who attests: they know neither irony nor
    what the yes was about, and err both ways. They read the customer's words only, never the agent's.
    """
    said = [text.lower().replace("\u2019", "'") for speaker, text in dialogue if speaker == "user"]
    stated = [" ".join(part for part in _SENTENCE.findall(text) if not part.endswith("?")) for text in said]
    found: dict[str, object] = {"agreed": _agreed(said[-1]) if said else None}
    if call_name == "cancel_reservation":
        found["reason"] = _latest(_REASONS, stated) or _latest(_OTHER_REASONS, stated)
    if call_name == "send_certificate" and any(_COMPENSATION.search(text) for text in said):
        kinds: list[object] = [kind for kind, pattern in _COMPLAINTS if any(_affirmed(pattern, text) for text in said)]
        found["complaints"] = kinds or None
    return {name: value for name, value in found.items() if value is not None}


def _agreed(text: str) -> bool | None:
    sentences = _SENTENCE.findall(text)
    if any(_REFUSAL.search(sentence) for sentence in sentences):
        return False
    # A yes outweighs a bare "no", which as a rule answers another of the agent's questions.
    if any(_says_yes(sentence) for sentence in sentences):
        return True
    return False if any(_NO.search(sentence) for sentence in sentences) else None


def _says_yes(sentence: str) -> bool:
    asks = sentence.endswith("?") and not _YES_AT_ONCE.match(sentence)
    if asks or _CONDITION.search(sentence):
        return False
    return any(_affirmed(pattern, sentence) for pattern in _YES)


def _affirmed(pattern: re.Pattern[str], text: str) -> bool:
    """Return whether `pattern` stands in `text` somewhere without a negation just before it."""
    return any(not _NEGATED.search(text[: match.start()]) for match in pattern.finditer(text))


def _latest(table: Table, texts: Sequence[str]) -> str | None:
    """Return the value of the first row of `table` that matches in the latest text in which any does."""
    hits = (value for text in reversed(texts) for value, pattern in table if _affirmed(pattern, text))
    return next(hits, None)
