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

const HEADER_SIZE = 120;
const ZERO = Buffer.alloc(32);
const RECORD_MAX = 1 << 20;
const NOTE_MAX = 64 << 10;
const RECEIPT_MAX = 2 * (RECORD_MAX + NOTE_MAX);
const TILE = 256;
const DEPTH_MAX = 64;
const LOG = 1;
const WITNESS = 4;
const NODE_CHAINS = new Map([["intake", 1], ["config", 2]]);
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

function digest(domain, data) {
  return sha256(Buffer.from(`edca/${domain}\0`), data);
}

/** How a header names a chain: its kind, and the tag of a case. */
function tagOf(chain) {
  const kind = NODE_CHAINS.get(chain);
  return kind === undefined ? [0, digest("case", Buffer.from(chain, "utf8"))] : [kind, ZERO];
}

function parseHeader(raw) {
  forbid(raw.length !== HEADER_SIZE, "header", `a header has ${HEADER_SIZE} bytes, not ${raw.length}`);
  const leaf = {
    kind: raw.readUInt16BE(6),
    index: raw.readBigUInt64BE(8),
    previous: raw.subarray(16, 48),
    tag: raw.subarray(48, 80),
    entry: raw.readBigUInt64BE(80),
    body: raw.subarray(88, 120),
  };
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

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);
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
  const found = sha256(Buffer.from(`${name}\n`, "utf8"), data).subarray(0, 4);
  forbid(found.toString("hex") !== id, "format", `the id of ${name} is not that of its key`);
  const jwk = { kty: "OKP", crv: "Ed25519", x: data.subarray(1).toString("base64url") };
  return { name, id: found, kind: data[0], bytes: data, public: createPublicKey({ key: jwk, format: "jwk" }) };
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
  // eslint-disable-next-line no-control-regex
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
    if (key.kind === LOG && name === lines[0]) own = true;
    if (key.kind === WITNESS) outside.add(key.bytes.toString("hex"));
  }
  forbid(!own, "signature", `no trusted key of ${lines[0]} has signed the checkpoint`);
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
  constructor({ decoding }) {
    this.decoding = decoding;
    this.findings = [];
    this.tree = new Tree();
    this.tip = ZERO; // null after a header that can't be relied on
    this.newest = new Map(); // chain -> its newest entry, and the digest of that body
    this.roots = new Map();
    this.headers = new Map();
    this.bodies = 0n;
  }

  /** Check each record; keep the roots at `sizes` and the headers at `indexes` for what is compared with them. */
  run(records, sizes, indexes) {
    if (sizes.has(0n)) this.roots.set(0n, this.tree.root());
    try {
      for (const [index, header, body] of records) {
        this.record(index, header, body);
        if (indexes.has(index)) this.headers.set(index, header);
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
      if (!this.decoding) {
        forbid(!digest("record", raw).equals(leaf.body), "body", "the body is not the one its header was made for");
        return;
      }
      const body = checkBody(leaf, raw);
      const isNext = before === null || body.get("prev").equals(before);
      forbid(!isNext, "chain", "it names another body than its chain's record before it");
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
  const checkpoints = [...own, ...options.checkpoint].flatMap((path) =>
    asking(`${path}: its signatures hold`, () => {
      forbid(!isFile(path), "missing", "there is no such file");
      return { path, ...parseCheckpoint(readFileSync(path), trusted, witnesses) };
    }),
  );
  const receipts = options.receipt.flatMap((path) =>
    asking(`${path}: its signatures and its proof hold`, () => ({
      path,
      ...checkReceipt(readFileSync(path), trusted, witnesses),
    })),
  );
  for (const { path, leaf, record, checkpoint } of receipts) {
    const where = `${record.get("kind")} in ${record.get("chain")}, entry ${leaf.entry}`;
    checked.push(`${path} is of record ${leaf.index} of ${checkpoint.origin}: ${where}`);
  }
  const isCounted = source === undefined || checkpoints[0]?.path === own[0];
  if (!isCounted) open.push("any record: no checkpoint that holds says how many there are");
  if (source === undefined || !isCounted) {
    return { ok: findings.length === 0, size: null, root: null, checked, findings, not_checked: open };
  }
  if (!statSync(source).isDirectory()) throw new Error(`${source} is no folder that \`edca publish\` wrote`);
  checkpoints.push(...receipts.map(({ path, checkpoint }) => ({ path, ...checkpoint })));
  const run = new Ledger({ decoding: !options.fast });
  const sizes = new Set(checkpoints.map((one) => one.size));
  run.run(pages(source, checkpoints[0].size), sizes, new Set(receipts.map((one) => one.leaf.index)));
  for (const one of checkpoints) {
    asking(`the first ${one.size} records are those of ${one.path}`, () => run.compare(one));
  }
  for (const { path, leaf, header } of receipts) {
    asking(`record ${leaf.index} is the one of ${path}`, () => {
      const found = run.headers.get(leaf.index);
      forbid(found === undefined || !found.equals(header), "root", `it is another than in ${path}`);
    });
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
