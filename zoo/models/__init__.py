"""One file for each paper."""

from zoo.backend import require_tensorflow

require_tensorflow()
