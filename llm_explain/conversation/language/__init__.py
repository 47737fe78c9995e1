"""What the conversation understands and says in each language: data files, and their readers."""
