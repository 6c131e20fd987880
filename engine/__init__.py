"""Cases: who may do what and when, what happened, and the proof of it. Knows no web."""
