"""What the losses have in common when they are modules."""

from __future__ import annotations

from torch import Tensor, nn

__all__ = ["LossModule"]


class LossModule(nn.Module):
    """A loss that keeps its settings as attributes, class weights as a buffer, and shows them."""

    def extra_repr(self) -> str:
        """The settings, as they were given."""
        kept = {**dict(self.named_buffers(recurse=False)), **vars(self)}
        hidden = {"training", "weight"} - set(dict(self.named_buffers(recurse=False)))
        return ", ".join(
            f"{name}={value.tolist() if isinstance(value, Tensor) else value!r}"
            for name, value in kept.items()
            if not name.startswith("_") and name not in hidden
        )
