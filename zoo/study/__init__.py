"""Would a person take it for real? The human study: protocols, the pages and their server, the database, the report.

Of the zoo it knows artefacts and datasets alone, no model's class. What it needs beside the zoo's own requirements is
the extra `study`.
"""
