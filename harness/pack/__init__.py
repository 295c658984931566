"""Runs that differ in little train together: one frozen backbone, their adapters side by side."""
