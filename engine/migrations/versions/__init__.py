"""One file for each revision, oldest first. Append-only tables may only ever gain columns (see ``engine.fences``)."""
