"""Trained models on disk: how one is written, what its card says, how it is found, checked and loaded."""
