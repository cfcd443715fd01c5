"""The MCP surface: a kernel's legal transitions as tools for any client of the Model Context Protocol.

It is thin: identity comes from the host (`identities`), everything else from `edca.api`. It may import `edca.api` and
below, and needs the extra `edca[mcp]`. Read `server.py` first.
"""

from edca.mcp.identities import Identities, IdentitiesError, Identity, load_identities
from edca.mcp.server import Served, serve
from edca.mcp.transports import InsecureError, http_app, identify_by_token, run_http, run_stdio

__all__ = [
    "Identities",
    "IdentitiesError",
    "Identity",
    "InsecureError",
    "Served",
    "http_app",
    "identify_by_token",
    "load_identities",
    "run_http",
    "run_stdio",
    "serve",
]
