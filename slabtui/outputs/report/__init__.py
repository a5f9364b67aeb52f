"""Writes a report on a run as HTML, Markdown or JSON, by the ending of the name of its file."""
