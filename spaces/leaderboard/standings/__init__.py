"""What is particular to the leaderboard; what Spaces share is in space_kit, what scores mean in eval_harness."""
