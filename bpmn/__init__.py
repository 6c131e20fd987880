"""Diagrams: read, check, draw. Knows no database, no web and no SpiffWorkflow."""
