"""Prints a digest for every machine and every known decision; law 1 runs it under different circumstances."""

import hashlib

import worlds

for path in worlds.SPECS:
    machine = worlds.compiled(path).machine
    assert machine is not None
    print(path.stem, machine.digest.hex())
for name, setup in worlds.all_setups():
    print(name, hashlib.sha256(setup.bytes()).hexdigest())
    # What no source answers is read in one order too.
    bare = setup.with_inputs(facts={})
    print(name, "wants", bare.wanted(), hashlib.sha256(bare.bytes()).hexdigest())
