"""What several processes have in common: who is connected, ids and rates; in memory, or in the broker's Redis."""
