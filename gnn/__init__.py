"""Text encoding, fusion model, training, evaluation, write-back and recommendations."""
