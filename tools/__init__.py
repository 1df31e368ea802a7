"""The scripts behind the Makefile's commands."""
