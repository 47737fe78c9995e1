"""Answers of the conversation that several functions of serving make up."""
