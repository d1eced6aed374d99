"""The test bench for other people's clients of NIP-AP."""
