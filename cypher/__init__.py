"""The database and nothing but: statements, `Graph`, schema, the managed server, py2neo models."""
