"""Attention networks: where people look in a photo, learnt from eye-tracking fixations."""
