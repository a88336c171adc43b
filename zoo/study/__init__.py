"""Would a person take it for real? The human study: protocols, the pages and their server, the database, the report.

It uses only the zoo's artefacts and datasets, none of its models' classes. What it needs besides the zoo's own
requirements is in the extra `study`.
"""
