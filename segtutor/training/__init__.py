"""Training: a loop to trust, on one device or several, that can be stopped and resumed."""

from segtutor.training.checkpoint import load_checkpoint, save_checkpoint
from segtutor.training.evaluation import evaluate, predict
from segtutor.training.fit import fit
from segtutor.training.history import History
from segtutor.training.optimizers import parameter_groups
from segtutor.training.schedules import learning_rates
from segtutor.training.transfer import freeze, load_matching, unfreeze

__all__ = [
    "History",
    "evaluate",
    "fit",
    "freeze",
    "learning_rates",
    "load_checkpoint",
    "load_matching",
    "parameter_groups",
    "predict",
    "save_checkpoint",
    "unfreeze",
]
