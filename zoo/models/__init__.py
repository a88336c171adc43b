"""One file a paper, one class a file."""
