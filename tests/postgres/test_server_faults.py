"""Goal: whatever happens to the server, nothing acknowledged is lost, and nothing happens twice.

A sample; `make campaign-postgres` does it with 200 kills and 200 rounds of cut connections.
"""

import server_faults


def test_killed_servers_and_cut_connections_lose_and_double_nothing(server, schema):
    tally = server_faults.run(server, schema, kills=3, cuts=12)
    assert (tally.kills, tally.cuts) == (3, 12)
    assert len(tally.acknowledged) > 50
    assert tally.cut_off > 0
