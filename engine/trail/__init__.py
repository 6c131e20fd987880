"""The trail (留痕): what happened, hash-chained per stream in the same transaction, and the recomputing of it all."""
