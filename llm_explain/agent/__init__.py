"""A large model that answers by calling tools; the MCP server."""
