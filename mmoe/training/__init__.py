"""Training on cached features. Reading order: mining, batches, optimiser, trainer."""
