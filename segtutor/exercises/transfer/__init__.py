"""Exercises of the chapter on transfer learning."""
