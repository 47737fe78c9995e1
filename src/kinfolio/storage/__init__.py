"""What the files of a run hold, who works on them, and what killed processes left there."""
