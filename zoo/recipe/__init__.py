"""What all recipe scripts share: flags, a run that survives being killed, and the artefact at its end."""

from zoo.recipe.flags import define_flags, parse
from zoo.recipe.run import Run, run

__all__ = ["Run", "define_flags", "parse", "run"]
