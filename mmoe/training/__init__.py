"""Training on cached features. Reading order: data, mining, optimiser, checkpoint, trainer."""
