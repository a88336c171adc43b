"""The number that stands for a missing label."""

NO_LABEL = -1  # for a training row whose class is unknown, or a sample whose class its seed determines
