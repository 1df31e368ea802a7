"""Pictures and label maps to learn from, drawn by the package itself."""

from __future__ import annotations

from segtutor.data.scene import STREET_CLASSES, street_scene

__all__ = ["STREET_CLASSES", "street_scene"]
