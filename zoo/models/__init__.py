"""Each paper has one file, and each file one class."""
