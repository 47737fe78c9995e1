"""Recommendations that live in a Neo4j graph, with reasons the graph can prove."""
