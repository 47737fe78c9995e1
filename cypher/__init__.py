"""The database: statements, `Graph`, schema, the managed server, py2neo models."""
