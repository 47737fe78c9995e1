"""Why a product has its score, in words that the graph can prove; and a conversation about it."""
