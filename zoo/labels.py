"""The one number that stands for no label, wherever labels are read."""

NO_LABEL = -1  # of a training row whose class is unknown, and of a sample whose class its seed shall choose
