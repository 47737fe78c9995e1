"""Pages that compare two versions: the split of the users, and what users did with lists."""
