"""What holds Liuhen to its word: one file of tests per module, all on real databases and a real browser."""
