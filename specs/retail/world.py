"""The world of the retail trial: its internal database, the recorded tools, and what the customer said.

Three shapes of one world meet here. The *data* is the public JSON (`orders`, `products`, `users`). The *internal
database* (`schema.sql`) holds the same under terse names and codes, which only routes may know. The *dialogue* is what
the customer and the agent wrote. What the recorded tools turn down is turned down here too; whose order it is, whether
the customer said yes, and whatever else only the policy asks is the kernel's work.

Entries of the data are replaced, never changed in place: `branch` isolates two worlds without a deep copy.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Record = dict[str, Any]
Swap = tuple[str, str]  # an item, and the one that takes its place

_SCHEMA = Path(__file__).with_name("schema.sql")
_PLACE = ("address1", "address2", "city", "state", "country", "zip")
_KIND = {"gift_card": "G", "paypal": "P", "credit_card": "C"}
_CAUSE = {"no longer needed": "N", "ordered by mistake": "M"}
_STATUS = {
    "pending": 10,
    "pending (item modified)": 15,
    "processed": 20,
    "delivered": 30,
    "return requested": 40,
    "exchange requested": 45,
    "cancelled": 90,
}
_KIND_OF = {code: name for name, code in _KIND.items()}
_CAUSE_OF = {code: name for name, code in _CAUSE.items()}
_STATUS_OF = {code: name for name, code in _STATUS.items()}


# ---------------------------------------------------------------- data


def read_data(folder: Path) -> Record:
    """Return the data in `folder` (`orders.json`, `products.json`, `users.json`)."""
    names = ("orders", "products", "users")
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in names}


def branch(data: Mapping[str, Any]) -> Record:
    """Return a copy of `data` that calls may change without touching the original."""
    return {name: dict(entries) for name, entries in data.items()}


def _cents(amount: float) -> int:
    cents = Decimal(str(amount)) * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} isn't a whole number of cents")
    return int(cents)


def _amount(cents: int) -> int | float:
    return cents // 100 if cents % 100 == 0 else cents / 100


# ---------------------------------------------------------------- internal database


def load(data: Mapping[str, Any], connection: sqlite3.Connection) -> None:
    """Create the internal tables in an empty database and fill them from `data`."""
    connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
    products = data["products"]
    articles = [(pno, ano, item) for pno, product in products.items() for ano, item in product["variants"].items()]
    with connection:
        _insert(connection, "t_prd (pno, nm)", [(pno, product["name"]) for pno, product in products.items()])
        _insert(
            connection,
            "t_art (ano, pno, prc_c, stk, opt)",
            [
                (ano, pno, _cents(item["price"]), int(item["available"]), json.dumps(item["options"]))
                for pno, ano, item in articles
            ],
        )
        _write_users(connection, data["users"])
        for order in data["orders"].values():
            _write_order(connection, order, _pairs(order), 0)


def fresh(source: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of an internal database, in memory."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    source.backup(connection)
    return connection


def project(connection: sqlite3.Connection, base: Mapping[str, Any]) -> Record:
    """Return the internal database in the shape of the data; of `base`, which was loaded, it needs nothing."""
    del base
    products: Record = {
        pno: {"name": name, "product_id": pno, "variants": {}}
        for pno, name in connection.execute("SELECT pno, nm FROM t_prd")
    }
    for ano, pno, prc_c, stk, opt in connection.execute("SELECT ano, pno, prc_c, stk, opt FROM t_art"):
        item = {"item_id": ano, "options": json.loads(opt), "available": stk == 1, "price": _amount(prc_c)}
        products[pno]["variants"][ano] = item
    return {"orders": _read_orders(connection, products), "products": products, "users": _read_users(connection)}


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert rows; `into` is a table of the schema with its columns."""
    marks = ", ".join("?" * (into.count(",") + 1))
    connection.executemany(f"INSERT INTO {into} VALUES ({marks})", rows)  # noqa: S608


def _place(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(entry["address"][part] for part in _PLACE)


def _pairs(order: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Return what comes back of an order; the data keeps the items of an exchange apart, so pairs are by rank."""
    returned = [(item, None) for item in order.get("return_items", ())]
    return [*returned, *zip(order.get("exchange_items", ()), order.get("exchange_new_items", ()), strict=True)]


def _write_users(connection: sqlite3.Connection, users: Mapping[str, Record]) -> None:
    for cno, user in users.items():
        for table in ("t_cu", "t_tnd", "t_own"):
            connection.execute(f"DELETE FROM {table} WHERE cno = ?", [cno])  # noqa: S608
        name = user["name"]
        person = (cno, name["first_name"], name["last_name"], user["email"], *_place(user))
        _insert(connection, "t_cu (cno, n1, n2, em, adr1, adr2, cty, rgn, cntr, plz)", [person])
        tenders = []
        for tid, method in user["payment_methods"].items():
            balance_c = _cents(method["balance"]) if "balance" in method else None
            rest = {key: value for key, value in method.items() if key not in ("source", "balance", "id")}
            tenders.append((cno, tid, _KIND[method["source"]], balance_c, json.dumps(rest)))
        _insert(connection, "t_tnd (cno, tid, kd, bal_c, doc)", tenders)
        _insert(connection, "t_own (cno, ono)", [(cno, ono) for ono in user["orders"]])


def _read_users(connection: sqlite3.Connection) -> Record:
    users: Record = {}
    for cno, first, last, email, *place in connection.execute(
        "SELECT cno, n1, n2, em, adr1, adr2, cty, rgn, cntr, plz FROM t_cu"
    ):
        users[cno] = {
            "name": {"first_name": first, "last_name": last},
            "address": dict(zip(_PLACE, place, strict=True)),
            "email": email,
            "payment_methods": {},
            "orders": [],
        }
    for cno, tid, kd, bal_c, doc in connection.execute("SELECT cno, tid, kd, bal_c, doc FROM t_tnd ORDER BY pos"):
        balance = {} if bal_c is None else {"balance": _amount(bal_c)}
        users[cno]["payment_methods"][tid] = {"source": _KIND_OF[kd], "id": tid, **balance, **json.loads(doc)}
    for cno, ono in connection.execute("SELECT cno, ono FROM t_own ORDER BY oid"):
        users[cno]["orders"].append(ono)
    return users


def _write_order(
    connection: sqlite3.Connection, order: Mapping[str, Any], pairs: Sequence[tuple[str, str | None]], changes: int
) -> None:
    """Write an order anew as a whole; `changes` is how often the desk has changed it."""
    ono = order["order_id"]
    for table in ("t_hd", "t_ln", "t_bk", "t_rma", "t_rml"):
        connection.execute(f"DELETE FROM {table} WHERE ono = ?", [ono])  # noqa: S608
    cause = _CAUSE[order["cancel_reason"]] if "cancel_reason" in order else None
    shipped = json.dumps(order["fulfillments"])
    header = (ono, order["user_id"], _STATUS[order["status"]], *_place(order), cause, shipped, changes)
    _insert(connection, "t_hd (ono, cno, st, adr1, adr2, cty, rgn, cntr, plz, cxl, trk, ver)", [header])
    lines = [(ono, item["item_id"], item["product_id"], _cents(item["price"])) for item in order["items"]]
    _insert(connection, "t_ln (ono, ano, pno, prc_c)", lines)
    booked = [
        (ono, entry["payment_method_id"], _cents(entry["amount"]) * (1 if _is_charge(entry) else -1))
        for entry in order["payment_history"]
    ]
    _insert(connection, "t_bk (ono, tid, amt_c)", booked)
    if "exchange_items" in order:
        difference_c = _cents(order["exchange_price_difference"])
        _insert(connection, "t_rma (ono, tid, dif_c)", [(ono, order["exchange_payment_method_id"], difference_c)])
    elif "return_items" in order:
        _insert(connection, "t_rma (ono, tid)", [(ono, order["return_payment_method_id"])])
    _insert(connection, "t_rml (ono, out_a, in_a)", [(ono, *pair) for pair in pairs])


def _read_orders(connection: sqlite3.Connection, products: Mapping[str, Any]) -> Record:
    orders: Record = {}
    for ono, cno, st, cxl, trk, *place in connection.execute(
        "SELECT ono, cno, st, cxl, trk, adr1, adr2, cty, rgn, cntr, plz FROM t_hd"
    ):
        orders[ono] = {
            "order_id": ono,
            "user_id": cno,
            "address": dict(zip(_PLACE, place, strict=True)),
            "items": [],
            "fulfillments": json.loads(trk),
            "status": _STATUS_OF[st],
            "payment_history": [],
            **({} if cxl is None else {"cancel_reason": _CAUSE_OF[cxl]}),
        }
    for ono, ano, pno, prc_c in connection.execute("SELECT ono, ano, pno, prc_c FROM t_ln ORDER BY lid"):
        options = products[pno]["variants"][ano]["options"]
        line = {"name": products[pno]["name"], "product_id": pno, "item_id": ano, "price": _amount(prc_c)}
        orders[ono]["items"].append({**line, "options": options})
    for ono, tid, amt_c in connection.execute("SELECT ono, tid, amt_c FROM t_bk ORDER BY xid"):
        orders[ono]["payment_history"].append(_booking(amt_c, tid))
    for ono, tid, dif_c in connection.execute("SELECT ono, tid, dif_c FROM t_rma"):
        pieces = connection.execute("SELECT out_a, in_a FROM t_rml WHERE ono = ?", [ono]).fetchall()
        items = sorted(out_a for out_a, _ in pieces)
        if dif_c is None:
            orders[ono] |= {"return_items": items, "return_payment_method_id": tid}
        else:
            new_items = sorted(in_a for _, in_a in pieces)
            orders[ono] |= _exchange(items, new_items, tid, _amount(dif_c))
    return orders


# ---------------------------------------------------------------- recorded tools


@dataclass(frozen=True, slots=True)
class Change:
    """What one call does to the data: the tool's answer, and the entries it replaces (none on an error).

    `pairs` are the items of an exchange with those that take their places; the data keeps them apart.
    """

    result: str
    orders: Mapping[str, Record] = field(default_factory=dict)
    users: Mapping[str, Record] = field(default_factory=dict)
    pairs: Sequence[Swap] = ()


class _ToolError(Exception):
    """The recorded tool turns the call down; becomes its answer."""


def plan_call(data: Mapping[str, Any], name: str, args: Mapping[str, Any], *, recorded: bool = False) -> Change:
    """Return what the recorded write tool `name` would do to `data`, by its own rules and no policy.

    An answer that starts with "Error" changes nothing; malformed arguments are such errors. Amounts are exact, unless
    `recorded` asks for the tools' own binary arithmetic (0.04999999999999716 for 53.48 - 53.43), which the recorded
    hashes are made of. ValueError if `name` isn't one of `WRITE_TOOLS`.
    """
    if name not in _TOOLS:
        raise ValueError(f"`{name}` isn't a write tool")
    try:
        return _TOOLS[name](data, args, recorded)
    except _ToolError as error:
        return Change(f"Error: {error}")


def apply_call(data: Record, name: str, args: Mapping[str, Any]) -> str:
    """Apply one recorded write call to `data` and return the tool's answer; see `plan_call`."""
    change = plan_call(data, name, args)
    data["orders"].update(change.orders)
    data["users"].update(change.users)
    return change.result


def follow(connection: sqlite3.Connection, data: Record, name: str, args: Mapping[str, Any]) -> tuple[str, Record]:
    """Apply one recorded write call to `data` and the internal database alike; return answer and `data`."""
    change = plan_call(data, name, args)
    with connection:
        _write_users(connection, change.users)
        for ono, order in change.orders.items():
            (changes,) = connection.execute("SELECT ver FROM t_hd WHERE ono = ?", [ono]).fetchone()
            _write_order(connection, order, change.pairs or _pairs(order), changes + 1)
    data["orders"].update(change.orders)
    data["users"].update(change.users)
    return change.result, data


def _cancel(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    order = _order(data, args, "pending", "cancelled")
    if args.get("reason") not in _CAUSE:
        raise _ToolError("invalid reason")
    paid = order["payment_history"]
    user = data["users"][order["user_id"]]
    # The tool pays back each entry, refunds too; nobody recorded what it does to an order whose payment was moved.
    for entry in paid:
        user = _credited(user, entry["payment_method_id"], entry["amount"], recorded)
    refunds = [{**entry, "transaction_type": "refund"} for entry in paid]
    cancelled = {**order, "status": "cancelled", "cancel_reason": args["reason"], "payment_history": [*paid, *refunds]}
    return _changed(cancelled, {order["user_id"]: user})


def _modify_address(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    del recorded
    order = _order(data, args, "pending", "modified")
    return _changed({**order, "address": {part: _text(args, part) for part in _PLACE}})


def _modify_payment(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    order = _order(data, args, "pending", "modified")
    user = data["users"][order["user_id"]]
    tid, method = _method(user, args)
    if len(order["payment_history"]) != 1:
        raise _ToolError("there should be exactly one payment for a pending order")
    paid = order["payment_history"][0]
    if paid["payment_method_id"] == tid:
        raise _ToolError("the new payment method should be different from the current one")
    _demand_balance(method, paid["amount"])
    user = _credited(user, tid, -paid["amount"], recorded)
    user = _credited(user, paid["payment_method_id"], paid["amount"], recorded)
    moved = [paid, {**paid, "payment_method_id": tid}, {**paid, "transaction_type": "refund"}]
    return _changed({**order, "payment_history": moved}, {order["user_id"]: user})


def _modify_items(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    order = _order(data, args, "pending", "modified")
    swaps, difference = _swaps(data, order, args, recorded)
    user = data["users"][order["user_id"]]
    tid, method = _method(user, args)
    _demand_balance(method, difference)
    user = _credited(user, tid, -difference, recorded)
    items = list(order["items"])
    for old, new in swaps:
        place = next(index for index, item in enumerate(items) if item["item_id"] == old)
        variant = data["products"][items[place]["product_id"]]["variants"][new]
        items[place] = {**items[place], "item_id": new, "price": variant["price"], "options": variant["options"]}
    booked = [*order["payment_history"], _booking_of(difference, tid)]
    status = "pending (item modified)"
    return _changed({**order, "items": items, "status": status, "payment_history": booked}, {order["user_id"]: user})


def _modify_home(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    del recorded
    user_id = _text(args, "user_id")
    if user_id not in data["users"]:
        raise _ToolError("user not found")
    user = {**data["users"][user_id], "address": {part: _text(args, part) for part in _PLACE}}
    return Change(json.dumps(user), users={user_id: user})


def _return(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    del recorded
    order = _order(data, args, "delivered", "returned")
    tid, method = _method(data["users"][order["user_id"]], args)
    if method["source"] != "gift_card" and tid != order["payment_history"][0]["payment_method_id"]:
        raise _ToolError("payment method should be either the original payment method or a gift card")
    items = _items(order, args)
    asked = {"return_items": sorted(items), "return_payment_method_id": tid}
    return _changed({**order, "status": "return requested", **asked})


def _exchange_items(data: Mapping[str, Any], args: Mapping[str, Any], recorded: bool) -> Change:
    order = _order(data, args, "delivered", "exchanged")
    swaps, difference = _swaps(data, order, args, recorded)
    tid, method = _method(data["users"][order["user_id"]], args)
    _demand_balance(method, difference)
    items, new_items = sorted(old for old, _ in swaps), sorted(new for _, new in swaps)
    asked = _exchange(items, new_items, tid, round(difference, 2))
    return _changed({**order, "status": "exchange requested", **asked}, pairs=swaps)


def _order(data: Mapping[str, Any], args: Mapping[str, Any], status: str, done: str) -> Record:
    order: Record | None = data["orders"].get(_text(args, "order_id"))
    if order is None:
        raise _ToolError("order not found")
    if order["status"] != status:
        raise _ToolError(f"non-{status} order cannot be {done}")
    return order


def _method(user: Record, args: Mapping[str, Any]) -> tuple[str, Record]:
    tid = _text(args, "payment_method_id")
    if tid not in user["payment_methods"]:
        raise _ToolError("payment method not found")
    return tid, user["payment_methods"][tid]


def _items(order: Record, args: Mapping[str, Any]) -> list[str]:
    """Return the items of a call, each no more often than the order has it."""
    items = _texts(args, "item_ids")
    held = [item["item_id"] for item in order["items"]]
    for item in items:
        if items.count(item) > held.count(item):
            raise _ToolError(f"{item} not found")
    return items


def _swaps(data: Mapping[str, Any], order: Record, args: Mapping[str, Any], recorded: bool) -> tuple[list[Swap], float]:
    """Return which items take whose place, and what that costs more."""
    items, new_items = _items(order, args), _texts(args, "new_item_ids")
    if len(items) != len(new_items):
        raise _ToolError("the number of items to be exchanged should match")
    swaps = list(zip(items, new_items, strict=True))
    difference, difference_c = 0.0, 0
    for old, new in swaps:
        line = next(item for item in order["items"] if item["item_id"] == old)
        variant = data["products"][line["product_id"]]["variants"].get(new)
        if variant is None or not variant["available"]:
            raise _ToolError(f"new item {new} not found or available")
        difference += variant["price"] - line["price"]
        difference_c += _cents(variant["price"]) - _cents(line["price"])
    return swaps, difference if recorded else _amount(difference_c)


def _demand_balance(method: Record, due: float) -> None:
    if method["source"] == "gift_card" and method["balance"] < due:
        raise _ToolError("insufficient gift card balance")


def _credited(user: Record, tid: str, amount: float, recorded: bool) -> Record:
    """Return the user with `amount` more on a gift card; the balance of other methods is nobody's concern."""
    method = user["payment_methods"][tid]
    if method["source"] != "gift_card":
        return user
    held = method["balance"]
    kept = round(held + amount, 2) if recorded else _amount(_cents(held) + _cents(amount))
    return {**user, "payment_methods": {**user["payment_methods"], tid: {**method, "balance": kept}}}


def _changed(order: Record, users: Mapping[str, Record] | None = None, pairs: Sequence[Swap] = ()) -> Change:
    return Change(json.dumps(order), {order["order_id"]: order}, users or {}, pairs)


def _is_charge(entry: Mapping[str, Any]) -> bool:
    return bool(entry["transaction_type"] == "payment")


def _booking(amount_c: int, tid: str) -> Record:
    return _booking_of(_amount(amount_c), tid)


def _booking_of(due: float, tid: str) -> Record:
    """Return an entry of the payment history; what isn't more is a refund, be it of nothing."""
    return {
        "transaction_type": "payment" if due > 0 else "refund",
        "amount": abs(due),
        "payment_method_id": tid,
    }


def _exchange(items: list[str], new_items: list[str], tid: str, difference: float) -> Record:
    return {
        "exchange_items": items,
        "exchange_new_items": new_items,
        "exchange_payment_method_id": tid,
        "exchange_price_difference": difference,
    }


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise _ToolError(f"{name} must be text")
    return value


def _texts(args: Mapping[str, Any], name: str) -> list[str]:
    value = args.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _ToolError(f"{name} must be a list of texts")
    return value


_TOOLS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], bool], Change]] = {
    "cancel_pending_order": _cancel,
    "exchange_delivered_order_items": _exchange_items,
    "modify_pending_order_address": _modify_address,
    "modify_pending_order_items": _modify_items,
    "modify_pending_order_payment": _modify_payment,
    "modify_user_address": _modify_home,
    "return_delivered_order_items": _return,
}
WRITE_TOOLS = tuple(_TOOLS)


# ---------------------------------------------------------------- what the customer said

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_NEGATED = re.compile(r"(?:\b(?:not|never|no|without|before)|n't)(?:\s+[\w']+){0,2}\s+$")
_YES_AT_ONCE = re.compile(r"\W*(?:yes|yep|yeah)\b")
_YES = re.compile(
    r"^\W*sure\b(?!,? (?:my|it's|the|here)\b)"  # "Sure, my user id is …" only answers a question
    r"|^\W*(?:correct|confirm(?:ed)?|agreed|absolutely|definitely|okay|ok)\b"
    r"|\b(?:yes|go ahead|proceed)\b"
    r"|\bi (?:can |do |hereby )?(?:confirm|agree)\b"
    r"|\b(?:that|this|it) (?:all )?(?:works|sounds (?:good|great|fine|perfect))\b"
    r"|\bsounds (?:good|great|fine|perfect)\b"
    r"|(?:\bis|'s|\bare|\blooks?|\ball) (?:all )?correct\b"
    r"|\b(?:let's|please|just) do (?:it|that|this)\b"
)
_CONDITION = re.compile(r"\bonly\b.*\bif\b|\b(?:unless|as long as|provided that)\b|\b(?:yes|yeah|yep)\W+if\b")
_REFUSAL = re.compile(r"(?:\bnot|n't) (?:want to )?(?:proceed|go ahead|confirm|agree|do (?:it|that|this))\b")
_NO = re.compile(r"^\W*no(?:pe)?\s*(?:[,;.!]|$)")  # "No new items" answers another question


def claims(dialogue: Sequence[tuple[str, str]], call_name: str) -> dict[str, object]:
    """Return what the customer's words before a call seem to claim; a claim not made is absent.

    `dialogue` holds ("user" | "agent", text) in order. `agreed` says whether the customer's last text holds an explicit
    yes (true) or an explicit no (false); a polite question, a condition or a wish is neither.

    The phrases are English and stand in for a person who attests: they know neither irony nor what the yes was about,
    and err both ways. They read the customer's words only, never the agent's.
    """
    del call_name
    said = [text.lower().replace("\u2019", "'") for speaker, text in dialogue if speaker == "user"]
    agreed = _agreed(said[-1]) if said else None
    return {} if agreed is None else {"agreed": agreed}


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
    return any(not _NEGATED.search(sentence[: match.start()]) for match in _YES.finditer(sentence))
