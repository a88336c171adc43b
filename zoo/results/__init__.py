"""What is known about trained models, as documents: RESULTS.md, the tables of README.md, the headers of recipes.

The cards of `pretrained/` and the score files of `scores/` are the record. All that is written here follows from them,
from `scores/tables.json` (which tables there are) and from `scores/published.json` (what papers report), so a new
artefact or score file changes the documents but no code.
"""

from zoo.results.documents import documents, out_of_date, write
from zoo.results.pictures import draw
from zoo.results.records import Record, read_records

__all__ = ["Record", "documents", "draw", "out_of_date", "read_records", "write"]
