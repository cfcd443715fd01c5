#!/usr/bin/env node
// Runs the test vectors of the ledger's format with `verify-ledger.mjs`, and prints for each what it comes to.
//
//     run-vectors.mjs FILE...        exits with 1 if one comes to anything else than it says
//
// What a vector holds: docs/reference/ledger.md.

import { readFileSync } from "node:fs";
import { Flaw, Ledger, checkReceipt, decode, parseCheckpoint, parseKey, sizeOf } from "./verify-ledger.mjs";

/** Return the code of the first flaw of a test vector, or `ok`. */
function vector(fields, trusted, payload) {
  const witnesses = Number(fields.get("witnesses") ?? "0");
  try {
    switch (fields.get("kind")) {
      case "canonical":
        decode(Buffer.from(payload.toString("ascii").trim(), "hex"));
        break;
      case "checkpoint":
        parseCheckpoint(payload, trusted, witnesses);
        break;
      case "receipt":
        checkReceipt(payload, trusted, witnesses);
        break;
      default: {
        const cut = payload.indexOf("\n\n");
        const rows = (cut < 0 ? payload : payload.subarray(0, cut)).toString("ascii").split(/\s+/).filter(Boolean);
        const note = cut < 0 ? Buffer.alloc(0) : payload.subarray(cut + 2);
        const run = new Ledger({ decoding: true, trusted });
        const records = rows.map((row, at) => [BigInt(at), ...row.split("/").map((part) => Buffer.from(part, "hex"))]);
        run.run(records, new Set([sizeOf(note)]));
        for (const flaw of run.findings) throw flaw;
        if (note.length > 0) run.compare(parseCheckpoint(note, run.keys, witnesses));
      }
    }
  } catch (error) {
    if (!(error instanceof Flaw)) throw error;
    return error.code;
  }
  return "ok";
}

let wrong = 0;
for (const name of process.argv.slice(2)) {
  const raw = readFileSync(name);
  const cut = raw.indexOf("\n\n");
  const lines = raw.subarray(0, cut).toString("utf8").split("\n");
  const pairs = lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
  const trusted = pairs.filter(([field]) => field === "trust").map(([, value]) => parseKey(value));
  const fields = new Map(pairs);
  const came = vector(fields, trusted, raw.subarray(cut + 2));
  const isRight = came === fields.get("expect");
  wrong += isRight ? 0 : 1;
  console.log(`${name}: ${came}${isRight ? "" : `, where ${fields.get("expect")} is expected`}`);
}
process.exitCode = wrong > 0 ? 1 : 0;
