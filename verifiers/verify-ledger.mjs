#!/usr/bin/env node
// An independent verifier of EDCA ledgers, in another language than EDCA's and with nothing of its code.
//
// One file; it needs Node.js 18 or newer and no package. It was written from docs/reference/ledger.md. It opens nothing
// but the files it is given, and no network.
//
//     verify-ledger.mjs FOLDER --trust KEY           a ledger that `edca publish --bodies` wrote
//     verify-ledger.mjs --receipt FILE --trust KEY   one record's receipt
//
// It exits with 0 if nothing was found, 1 if something was, 2 if it could not do its work. It says what it checked, what
// it found, and what it could not check.

import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ZERO = Buffer.alloc(32);
const [HEADER_SIZE, RECORD_MAX, NOTE_MAX] = [120, 1 << 20, 64 << 10];
const RECEIPT_MAX = 2 * (RECORD_MAX + NOTE_MAX);
const [TILE, DEPTH_MAX] = [256, 64];
const [LOG, WITNESS, CONFIG] = [1, 4, 2];
const NODE_CHAINS = new Map([["intake", 1], ["config", CONFIG]]);
const COUNT_MAX = (1n << 63n) - 1n;

/** Something that contradicts the format. `code` is one of a closed set; `index` is the record's, if it is of one. */
export class Flaw extends Error {
  constructor(code, text, index = null) {
    super(text);
    this.code = code;
    this.index = index;
  }
}

/** Throw a `Flaw` where there is a fault. */
function forbid(fault, code, text) {
  if (fault) throw new Flaw(code, text);
}

// --- section 1: canonical bytes ---

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Return text, or throw a `Flaw` with the code where the bytes are not UTF-8. */
function decodeText(bytes, code) {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Flaw(code, "text is not UTF-8");
  }
}

/** Reads one value after another. Maps become `Map`, integers of 8 bytes BigInt, bytes Buffer. */
class Reader {
  constructor(raw) {
    this.raw = raw;
    this.at = 0;
  }

  take(size) {
    forbid(this.at + size > this.raw.length, "canonical", "the bytes end inside a value");
    this.at += size;
    return this.raw.subarray(this.at - size, this.at);
  }

  /** Read an unsigned number of so many bytes that a shorter form could not have said. */
  number(width, least) {
    const bytes = this.take(width);
    const value = width === 8 ? bytes.readBigUInt64BE() : bytes.readUIntBE(0, width);
    forbid(value < least, "canonical", "a number or length is longer than it needs to be");
    return value;
  }

  negative(width, least) {
    const bytes = this.take(width);
    const value = width === 8 ? bytes.readBigInt64BE() : bytes.readIntBE(0, width);
    forbid(value >= least, "canonical", "a negative number is longer than it needs to be");
    return value;
  }

  text(size) {
    return decodeText(this.take(size), "canonical");
  }

  array(count, depth) {
    forbid(depth >= DEPTH_MAX, "canonical", "arrays and maps are nested too deep");
    const items = [];
    for (let place = 0; place < count; place += 1) items.push(this.value(depth + 1));
    return items;
  }

  map(count, depth) {
    forbid(depth >= DEPTH_MAX, "canonical", "arrays and maps are nested too deep");
    const pairs = new Map();
    let before = null;
    for (let place = 0; place < count; place += 1) {
      const key = this.value(depth + 1);
      forbid(typeof key !== "string", "canonical", "a key is not text");
      const spelt = Buffer.from(key, "utf8");
      forbid(before !== null && before.compare(spelt) >= 0, "canonical", "the keys of a map are not in order, each once");
      before = spelt;
      pairs.set(key, this.value(depth + 1));
    }
    return pairs;
  }

  value(depth) {
    const head = this.take(1)[0];
    if (head <= 0x7f) return head;
    if (head <= 0x8f) return this.map(head & 15, depth);
    if (head <= 0x9f) return this.array(head & 15, depth);
    if (head <= 0xbf) return this.text(head & 31);
    if (head >= 0xe0) return head - 256;
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.take(this.number(1, 0));
      case 0xc5: return this.take(this.number(2, 1 << 8));
      case 0xc6: return this.take(this.number(4, 1 << 16));
      case 0xcc: return this.number(1, 1 << 7);
      case 0xcd: return this.number(2, 1 << 8);
      case 0xce: return this.number(4, 1 << 16);
      case 0xcf: return this.number(8, 1n << 32n);
      case 0xd0: return this.negative(1, -32);
      case 0xd1: return this.negative(2, -(1 << 7));
      case 0xd2: return this.negative(4, -(1 << 15));
      case 0xd3: return this.negative(8, -(1n << 31n));
      case 0xd9: return this.text(this.number(1, 32));
      case 0xda: return this.text(this.number(2, 1 << 8));
      case 0xdb: return this.text(this.number(4, 1 << 16));
      case 0xdc: return this.array(this.number(2, 16), depth);
      case 0xdd: return this.array(this.number(4, 1 << 16), depth);
      case 0xde: return this.map(this.number(2, 16), depth);
      case 0xdf: return this.map(this.number(4, 1 << 16), depth);
      default: throw new Flaw("canonical", `byte ${head.toString(16)} begins no value`);
    }
  }
}

/** Return the value of canonical bytes; throws a `Flaw` for anything that is not the one encoding of a value. */
export function decode(raw) {
  const reader = new Reader(raw);
  const value = reader.value(0);
  forbid(reader.at !== raw.length, "canonical", "bytes follow the value");
  return value;
}

// --- sections 2 to 5: digests, chains, bodies, headers ---

function sha256(...parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const digest = (domain, data) => sha256(Buffer.from(`edca/${domain}\0`), data);

/** How a header names a chain: its kind, and the tag of a case. */
function tagOf(chain) {
  const kind = NODE_CHAINS.get(chain);
  return kind === undefined ? [0, digest("case", Buffer.from(chain, "utf8"))] : [kind, ZERO];
}

function parseHeader(raw) {
  forbid(raw.length !== HEADER_SIZE, "header", `a header has ${HEADER_SIZE} bytes, not ${raw.length}`);
  const [kind, index, entry] = [raw.readUInt16BE(6), raw.readBigUInt64BE(8), raw.readBigUInt64BE(80)];
  const [previous, tag, body] = [raw.subarray(16, 48), raw.subarray(48, 80), raw.subarray(88, 120)];
  const leaf = { kind, index, previous, tag, entry, body };
  const isKnown = raw.toString("latin1", 0, 4) === "EDCA" && raw.readUInt16BE(4) === 1 && leaf.kind <= 2;
  forbid(!isKnown, "header", "magic, version or chain kind is not known");
  forbid(leaf.kind !== 0 && !leaf.tag.equals(ZERO), "header", "a record of the node's own chain has a case tag");
  return leaf;
}

function parseBody(raw) {
  forbid(raw.length > RECORD_MAX, "body", `a body has at most ${RECORD_MAX} bytes`);
  const body = decode(raw);
  const isRecord = body instanceof Map && body.get("schema") === "edca.record/1";
  forbid(!isRecord, "body", "the body is no map of schema edca.record/1");
  const [kind, chain, entry, prev] = ["kind", "chain", "entry", "prev"].map((name) => body.get(name));
  const isNamed = typeof kind === "string" && kind !== "" && typeof chain === "string" && chain !== "";
  const isCount = typeof entry === "number" || typeof entry === "bigint";
  const isPlaced = isCount && entry >= 0 && Buffer.isBuffer(prev) && prev.length === 32;
  const isShort = isNamed && Buffer.byteLength(chain, "utf8") <= 256;
  forbid(!(isNamed && isPlaced && isShort), "body", "kind, chain, entry or prev is not as it should be");
  return body;
}

/** Check a body against its header. */
function checkBody(leaf, raw) {
  forbid(!digest("record", raw).equals(leaf.body), "body", "the body is not the one its header was made for");
  const body = parseBody(raw);
  const [kind, tag] = tagOf(body.get("chain"));
  const isSame = kind === leaf.kind && tag.equals(leaf.tag) && BigInt(body.get("entry")) === leaf.entry;
  forbid(!isSame, "header", "the header names another chain or entry than the body");
  return body;
}

// --- section 6: the tree ---

const [LEAF, NODE] = [Buffer.from([0]), Buffer.from([1])];
const leafHash = (header) => sha256(LEAF, header);
const nodeHash = (left, right) => sha256(NODE, left, right);

/** RFC 9162, section 2.1.1, over leaves that come one after another. */
class Tree {
  size = 0n;
  parts = []; // roots of complete subtrees, the largest first

  add(leaf) {
    let carried = leaf;
    for (let size = this.size; size & 1n; size >>= 1n) carried = nodeHash(this.parts.pop(), carried);
    this.parts.push(carried);
    this.size += 1n;
  }

  root() {
    if (this.parts.length === 0) return sha256(Buffer.alloc(0));
    return this.parts.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** RFC 9162, section 2.1.3.2: where an inclusion path leads, or null where it is none. */
function rootOf(leaf, index, size, path) {
  if (index >= size) return null;
  let [first, last, root] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if (first & 1n || first === last) {
      root = nodeHash(sibling, root);
      while (first !== 0n && !(first & 1n)) [first, last] = [first >> 1n, last >> 1n];
    } else {
      root = nodeHash(root, sibling);
    }
    [first, last] = [first >> 1n, last >> 1n];
  }
  return last === 0n ? root : null;
}

// --- checkpoints: c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature ---

/** Standard base64, in its only form. */
function unbase64(text) {
  const data = Buffer.from(text, "base64");
  forbid(data.toString("base64") !== text, "format", "that is not base64 in its only form");
  return data;
}

/** Return a number written in decimal without leading zeros, or null. */
function parseCount(text) {
  if (!/^(0|[1-9][0-9]{0,18})$/.test(text)) return null;
  const count = BigInt(text);
  return count <= COUNT_MAX ? count : null;
}

/** Whether a key can be called so: no plus, no separators, no control characters. */
const isName = (name) => Boolean(name) && !/[+\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Zs}]/u.test(name);

/** Read `NAME+ID+KEY`. */
export function parseKey(text) {
  const [name, id, ...rest] = text.trim().split("+");
  const data = unbase64(rest.join("+"));
  const isKey = isName(name) && data.length === 33 && (data[0] === LOG || data[0] === WITNESS);
  forbid(!isKey, "format", "a key is written NAME+ID+KEY");
  const key = keyOf(name, data, 0n);
  forbid(key.id.toString("hex") !== id, "format", `the id of ${name} is not that of its key`);
  return key;
}

/** A key, and for how many records its signature counts: from `since` to `until`, null for no end. */
function keyOf(name, bytes, since) {
  const jwk = { kty: "OKP", crv: "Ed25519", x: bytes.subarray(1).toString("base64url") };
  const id = sha256(Buffer.from(`${name}\n`, "utf8"), bytes).subarray(0, 4);
  return { name, id, kind: bytes[0], bytes, public: createPublicKey({ key: jwk, format: "jwk" }), since, until: null };
}

/** How many records a checkpoint or receipt says that there are, before anything of it is checked; 0 for garbage. */
export function sizeOf(raw) {
  const note = raw.toString("latin1", 0, 9) === "c2sp.org/" ? raw.subarray(raw.indexOf("\n\n") + 2) : raw;
  return parseCount(note.toString("latin1").split("\n")[1] ?? "") ?? 0n;
}

/** The trusted keys after a record that announces the next one, each where it is in force (section 14). */
function handedOver(index, body, keys) {
  const bytes = body.get("bytes");
  const isHeld = Buffer.isBuffer(bytes) && body.get("digest")?.equals?.(digest("key", bytes));
  const said = isHeld ? decode(bytes) : null;
  const isMap = said instanceof Map && [...said.keys()].join() === "at,from,origin,signature,to";
  const [stamp, from, origin, signature, to] = isMap ? [...said.values()] : [];
  const at = typeof stamp === "number" || typeof stamp === "bigint" ? BigInt(stamp) : -1n;
  const isTyped = typeof origin === "string" && [from, signature, to].every(Buffer.isBuffer);
  const isWhole = isTyped && at >= 0n && at <= COUNT_MAX;
  forbid(!isWhole, "signature", "it announces a key, and has other fields");
  const isOf = (key, bytes) => key.kind === LOG && key.name === origin && key.bytes.subarray(1).equals(bytes);
  const old = keys.find((key) => isOf(key, from));
  if (old === undefined) return keys; // nobody here trusts that key, so nothing follows from it
  const time = Buffer.from(at.toString(16).padStart(16, "0"), "hex");
  const message = Buffer.concat([Buffer.from("edca/key\0"), from, to, time, Buffer.from(origin, "utf8")]);
  const isNext = old.until === null && to.length === 32 && !to.equals(from) && signature.length === 64;
  const isSigned = isNext && verifySignature(null, message, old.public, signature);
  forbid(!isSigned, "signature", "it announces a key, and the key in force has not signed it");
  const rest = keys.map((key) => (key === old ? { ...key, until: index } : key));
  const added = keys.some((key) => isOf(key, to)) ? [] : [keyOf(origin, Buffer.from([LOG, ...to]), index + 1n)];
  return [...rest, ...added];
}

function holds(key, data, signed) {
  if (key.kind === LOG) {
    return data.length === 64 && verifySignature(null, Buffer.from(signed, "utf8"), key.public, data);
  }
  if (data.length !== 72 || data.readBigUInt64BE() > COUNT_MAX) return false;
  const message = Buffer.from(`cosignature/v1\ntime ${data.readBigUInt64BE()}\n${signed}`, "utf8");
  return verifySignature(null, message, key.public, data.subarray(8));
}

/** Read a checkpoint and check its signatures. */
export function parseCheckpoint(raw, trusted, witnesses = 0) {
  forbid(raw.length > NOTE_MAX, "format", "the checkpoint is too long");
  const text = decodeText(raw, "format");
  forbid(/[\x00-\x09\x0b-\x1f]/.test(text), "format", "a checkpoint has no control characters");
  const cut = text.lastIndexOf("\n\n");
  const below = text.slice(cut + 2);
  forbid(cut < 0 || !below.endsWith("\n"), "format", "a checkpoint is text, an empty line, and signature lines");
  const signed = text.slice(0, cut + 1);
  const lines = text.slice(0, cut).split("\n");
  forbid(lines.length < 3 || lines.includes(""), "format", "a checkpoint has three lines or more, none empty");
  const size = parseCount(lines[1]);
  const root = unbase64(lines[2]);
  const isEmpty = size === 0n && !root.equals(sha256(Buffer.alloc(0)));
  forbid(isEmpty, "format", "the root of no records is another");
  forbid(size === null || root.length !== 32, "format", "the checkpoint's size or root is not as it should be");
  let own = false;
  const outside = new Set();
  forbid(below.split("\n").length > 65, "format", "a checkpoint has at most 64 signatures");
  for (const line of below.slice(0, -1).split("\n")) {
    const [dash, name, ...encoded] = line.split(" ");
    const data = unbase64(encoded.join(" "));
    forbid(dash !== "—" || !isName(name) || data.length <= 4, "format", "a signature line is not as it should be");
    const key = trusted.find((one) => one.name === name && one.id.equals(data.subarray(0, 4)));
    if (key === undefined) continue;
    forbid(!holds(key, data.subarray(4), signed), "signature", `the signature of ${name} does not hold`);
    const isInForce = key.since <= size && (key.until === null || size <= key.until);
    if (key.kind === LOG && name === lines[0] && isInForce) own = true;
    if (key.kind === WITNESS) outside.add(key.bytes.toString("hex"));
  }
  forbid(!own, "signature", `no trusted key of ${lines[0]} that was in force has signed the checkpoint`);
  forbid(outside.size < witnesses, "witness", `${outside.size} trusted witnesses have signed, and ${witnesses} must`);
  return { origin: lines[0], size, root };
}

// --- receipts: c2sp.org/tlog-proof ---

/** Check a receipt, and return its header, its record and its checkpoint. */
export function checkReceipt(raw, trusted, witnesses = 0) {
  forbid(raw.length > RECEIPT_MAX, "format", "the receipt is too long");
  const cut = raw.indexOf("\n\n");
  const lines = raw.subarray(0, Math.max(cut, 0)).toString("latin1").split("\n");
  const isReceipt = lines.length > 2 && lines[0] === "c2sp.org/tlog-proof@v1" && lines[1].startsWith("extra ");
  forbid(cut < 0 || !isReceipt, "format", "that is no receipt");
  const held = decode(unbase64(lines[1].slice("extra ".length)));
  const [header, body] = held instanceof Map ? [held.get("header"), held.get("body")] : [];
  const isRecord = Buffer.isBuffer(header) && Buffer.isBuffer(body) && held.size === 2;
  forbid(!isRecord, "format", "the receipt holds no record");
  const leaf = parseHeader(header);
  const path = lines.slice(3).map(unbase64);
  const isPath = path.length <= 64 && path.every((item) => item.length === 32);
  forbid(!isPath || lines[2] !== `index ${leaf.index}`, "format", "its index or proof is not as it should be");
  const record = checkBody(leaf, body);
  const checkpoint = parseCheckpoint(raw.subarray(cut + 2), trusted, witnesses);
  const root = rootOf(leafHash(header), leaf.index, checkpoint.size, path);
  forbid(root === null || !root.equals(checkpoint.root), "proof", "the proof does not lead to the checkpoint's root");
  return { leaf, header, record, checkpoint };
}

// --- sections 8 and 11: a whole ledger, as it was published ---

/** Yield index, header and body of the first `size` records of a folder; the body is null where it isn't there. */
function* pages(folder, size) {
  for (let start = 0n; start < size; start += BigInt(TILE)) {
    const width = size - start < TILE ? Number(size - start) : TILE;
    const place = start / BigInt(TILE);
    const headers = tile(folder, "entries", place, width, 2, HEADER_SIZE);
    forbid(headers === null, "missing", `the headers from record ${start} on are not there`);
    const bodies = tile(folder, "bodies", place, width, 4, RECORD_MAX) ?? headers.map(() => null);
    for (const [number, header] of headers.entries()) yield [start + BigInt(number), header, bodies[number]];
  }
}

const isFile = (path) => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** Return the first `width` entries of a tile, each behind its length; null where it isn't there. */
function tile(folder, kind, place, width, lengthSize, itemMax) {
  const text = String(place).padStart(Math.ceil(String(place).length / 3) * 3, "0");
  const groups = text.match(/.../g);
  const full = join(folder, "tile", kind, [...groups.slice(0, -1).map((group) => `x${group}`), groups.at(-1)].join("/"));
  const partial = join(`${full}.p`, String(width));
  const [path, count] = width < TILE && isFile(partial) ? [partial, width] : [full, TILE];
  if (!isFile(path)) return null;
  const isShort = statSync(path).size <= count * (lengthSize + itemMax);
  forbid(!isShort, "missing", `${path} is longer than ${count} entries can be`);
  const data = readFileSync(path);
  const found = [];
  for (let at = 0; at < data.length; ) {
    const size = at + lengthSize > data.length ? data.length : data.readUIntBE(at, lengthSize);
    at += lengthSize + size;
    forbid(at > data.length || found.length === count, "missing", `${path} does not hold ${count} entries`);
    found.push(data.subarray(at - size, at));
  }
  forbid(found.length !== count, "missing", `${path} does not hold ${count} entries`);
  return found.slice(0, width);
}

/** One pass over all records, in order. */
export class Ledger {
  constructor({ decoding, trusted }) {
    Object.assign(this, { decoding, keys: trusted, findings: [], tree: new Tree(), bodies: 0n });
    this.tip = ZERO; // null after a header that can't be relied on
    this.newest = new Map(); // chain -> its newest entry, and the digest of that body
    this.roots = new Map([[0n, this.tree.root()]]);
  }

  /** Check each record; keep the roots at `sizes` for what is compared with them. */
  run(records, sizes) {
    try {
      for (const [index, header, body] of records) {
        this.record(index, header, body);
        if (sizes.has(this.tree.size)) this.roots.set(this.tree.size, this.tree.root());
      }
    } catch (error) {
      this.find(error, null);
    }
  }

  /** Keep a flaw, and the record it is about. */
  find(error, index) {
    if (!(error instanceof Flaw)) throw error;
    error.index = index;
    this.findings.push(error);
  }

  /** Compare with a checkpoint. */
  compare({ size, root }) {
    forbid(size > this.tree.size, "missing", `it counts ${size} records, and ${this.tree.size} are there`);
    const found = this.roots.get(size);
    forbid(found === undefined || !found.equals(root), "root", `the root over the first ${size} records is another`);
  }

  /** Check one record against its header, the record before it, and its chain's record before it. */
  record(index, header, raw) {
    const previous = this.tip;
    this.tip = leafHash(header);
    this.tree.add(this.tip);
    let leaf;
    try {
      leaf = parseHeader(header);
      forbid(leaf.index !== index, "header", `the header is that of record ${leaf.index}`);
    } catch (error) {
      this.find(error, index);
      this.tip = null;
      return;
    }
    if (previous !== null && !leaf.previous.equals(previous)) {
      this.find(new Flaw("order", "it does not follow the record before it"), index);
    }
    const chain = `${leaf.kind}/${leaf.tag.toString("hex")}`;
    const before = this.newest.get(chain) ?? { entry: -1n, body: ZERO };
    this.newest.set(chain, { entry: leaf.entry, body: leaf.body });
    if (leaf.entry !== before.entry + 1n) {
      const due = before.entry + 1n;
      this.find(new Flaw("gap", `it is entry ${leaf.entry} of its chain, where ${due} is due`), index);
    } else if (raw !== null) {
      this.body(index, leaf, raw, before.body, chain);
    }
  }

  /** Check a record's body, decoded only where that was asked for. */
  body(index, leaf, raw, before, chain) {
    this.bodies += 1n;
    try {
      const isSame = this.decoding || leaf.kind === CONFIG || digest("record", raw).equals(leaf.body);
      forbid(!isSame, "body", "the body is not the one its header was made for");
      if (!this.decoding && leaf.kind !== CONFIG) return;
      const body = checkBody(leaf, raw);
      const isNext = before === null || body.get("prev").equals(before);
      forbid(!isNext, "chain", "it names another body than its chain's record before it");
      if (leaf.kind === CONFIG && body.get("what") === "key") this.keys = handedOver(index, body, this.keys);
    } catch (error) {
      this.find(error, index);
      if (error.code === "body") this.newest.set(chain, { entry: leaf.entry, body: null });
    }
  }
}

// --- the report ---

/** Do what the command line asks, and return what was checked, found and left open. */
function verify(source, options, trusted) {
  const [checked, findings, open] = [[], [], []];
  const asking = (what, check) => {
    try {
      const result = check();
      checked.push(what);
      return [result];
    } catch (error) {
      if (!(error instanceof Flaw)) throw error;
      findings.push({ code: error.code, index: error.index, text: `not so: ${what}: ${error.message}` });
      return [];
    }
  };
  const witnesses = Number(options.witnesses);
  const own = source === undefined ? [] : [join(source, "checkpoint")];
  const named = [...own, ...options.checkpoint, ...options.receipt].filter(isFile);
  const raws = new Map(named.map((path) => [path, readFileSync(path)]));
  const run = new Ledger({ decoding: !options.fast, trusted });
  if (source !== undefined) {
    if (!statSync(source).isDirectory()) throw new Error(`${source} is no folder that \`edca publish\` wrote`);
    // What is kept is checked once the pass has followed the ledger's keys; here it only says where to look.
    run.run(pages(source, sizeOf(raws.get(own[0]) ?? ZERO)), new Set([...raws.values()].map(sizeOf)));
  }
  const there = (path) => raws.get(path) ?? forbid(true, "missing", "there is no such file");
  const checkpoints = [...own, ...options.checkpoint].flatMap((path) =>
    asking(`${path}: its signatures hold`, () => ({ path, ...parseCheckpoint(there(path), run.keys, witnesses) })),
  );
  const isCounted = source === undefined || checkpoints[0]?.path === own[0];
  for (const path of options.receipt) {
    asking(`${path}: its signatures and its proof hold`, () => {
      const { leaf, record, checkpoint } = checkReceipt(there(path), run.keys, witnesses);
      const where = `${record.get("kind")} in ${record.get("chain")}, entry ${leaf.entry}`;
      checked.push(`${path} is of record ${leaf.index} of ${checkpoint.origin}: ${where}`);
      checkpoints.push({ path, ...checkpoint }); // its proof leads to the root, so its record is among them
    });
  }
  if (!isCounted) open.push("any record: no checkpoint that holds says how many there are");
  if (source === undefined || !isCounted) {
    return { ok: findings.length === 0, size: null, root: null, checked, findings, not_checked: open };
  }
  for (const one of checkpoints) {
    asking(`the first ${one.size} records are those of ${one.path}`, () => run.compare(one));
  }
  findings.push(...run.findings.map(({ code, index, message }) => ({ code, index, text: message })));
  const size = run.tree.size;
  open.push("the hashes in tile/0 and above: the tree was reckoned from the headers instead");
  if (run.findings.length === 0) {
    checked.push(`${size} headers: form, order, links, tree, ${run.newest.size} chains without a gap`);
    const more = options.fast ? "" : ", is canonical, and names the digest of its chain's record before it";
    if (run.bodies === size) checked.push(`every body has the digest its header carries${more}`);
  }
  if (run.bodies < size) open.push(`${size - run.bodies} bodies: they are not there`);
  if (options.fast) open.push("what stands inside the bodies: they were not decoded");
  const counted = checkpoints.reduce((most, one) => (one.size > most ? one.size : most), -1n);
  if (counted < 0n) open.push("deletion of the newest records: no checkpoint was given", "who wrote the records");
  else if (counted < size) open.push(`deletion of records after the ${counted} of the newest checkpoint`);
  open.push("whether the verdicts are right: `edca replay` decides them again");
  const root = run.tree.root().toString("hex");
  return { ok: findings.length === 0, size, root, checked, findings, not_checked: open };
}

const USAGE = `usage: verify-ledger.mjs [FOLDER] [--trust KEY]... [--witnesses N] [--checkpoint FILE]... [--receipt FILE]...
                         [--fast] [--json]`;

function main() {
  const many = { type: "string", multiple: true, default: [] };
  const flag = { type: "boolean", default: false };
  const options = {
    trust: many, checkpoint: many, receipt: many, witnesses: { type: "string", default: "0" },
    fast: flag, json: flag, help: { ...flag, short: "h" },
  };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  if (!/^[0-9]{1,4}$/.test(values.witnesses)) throw new Error("--witnesses takes a number");
  const isNothing = positionals.length === 0 && values.receipt.length === 0 && values.checkpoint.length === 0;
  if (values.help || isNothing || positionals.length > 1) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const found = verify(positionals[0], values, values.trust.map(parseKey));
  const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
  if (values.json) {
    console.log(JSON.stringify(found, plain, 2));
    return found.ok ? 0 : 1;
  }
  for (const { code, index, text } of found.findings) {
    console.log(`found: ${index === null ? "" : `record ${index}: `}${code}: ${text}`);
  }
  for (const text of found.checked) console.log(`checked: ${text}`);
  for (const text of found.not_checked) console.log(`not checked: ${text}`);
  const where = found.size === null ? "" : ` in ${found.size} records, root ${found.root}`;
  console.log((found.ok ? "nothing was found" : `${found.findings.length} found`) + where);
  return found.ok ? 0 : 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = main();
  } catch (error) {
    console.error(`verify-ledger: ${error.message}`);
    process.exitCode = 2;
  }
}
