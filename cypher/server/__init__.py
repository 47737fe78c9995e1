"""The managed Neo4j server: Java, jars, settings, process."""
